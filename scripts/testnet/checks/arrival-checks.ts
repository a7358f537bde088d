import type { Partition } from '../conditions.ts'
import { describeSteps, describeWhole, shareArrived } from '../report/participation.ts'
import type { HospitalReport, ReportCheck } from '../report/report.ts'

const MIN_ARRIVED = 0.9

export interface ArrivalInput {
  readonly hospitals: readonly HospitalReport[]
  /** Of these: neither killed nor lying. */
  readonly honest: readonly HospitalReport[]
  /** Of the federation. */
  readonly rounds: number
  readonly stepsPerRound: number | null
  readonly conditions: {
    readonly slow: ReadonlyMap<number, number>
    readonly images: ReadonlyMap<number, number>
    readonly liars: ReadonlySet<number>
    readonly partitions: readonly Partition[]
  }
}

/**
 * Whose learning reached others. What is trained is kept until an exchange carries it, so lost frames, restarts, kills of others and
 * partitions that heal take nothing from it.
 */
export function arrivalChecks (input: ArrivalInput): ReportCheck[] {
  const { hospitals, honest, stepsPerRound, conditions: { slow, images } } = input
  const silent = honest.filter((each) => !arrived(each))
  const shares = honest.map((each) => shareArrived(each) ?? 0)
  const kind = whyNotPromised(input) == null ? 'result' : 'measure'
  return [
    {
      name: `at least ${100 * MIN_ARRIVED} % of every hospital's steps arrived at another${suffix(whyNotPromised(input))}`,
      ok: silent.length === 0,
      detail: silent.length === 0
        ? `least: ${percent(Math.min(...shares))}`
        : silent.map((each) => `${each.name} ${describeSteps(each)}`).join('; '),
      kind
    },
    ...honest.flatMap((each): ReportCheck[] => {
      const site = hospitals.indexOf(each)
      const what = burden(slow.get(site), images.get(site))
      if (what === '') return []
      const name = `at least ${100 * MIN_ARRIVED} % of the steps of ${each.name}, ${what}, arrived at another`
      return [{ name, ok: arrived(each), detail: describeSteps(each) + describeWhole(each, stepsPerRound), kind }]
    })
  ]
}

function arrived (hospital: HospitalReport): boolean {
  return (shareArrived(hospital) ?? 0) >= MIN_ARRIVED
}

/** In words, why nobody can promise it in this run; undefined where it is promised. */
function whyNotPromised ({ hospitals, honest, rounds, conditions: { liars, partitions } }: ArrivalInput): string | undefined {
  if (honest.length < 2) return 'one is left alone'
  // What differs by as much as a liar's noise is clipped at both ends, and does not arrive whole.
  if (liars.size > 0) return 'beside a liar some are clipped'
  const isLeftOut = partitions.some(({ groups: [a, b], to }) => to >= rounds && Math.min(a.length, b.length) === 1 &&
    a.length + b.length === hospitals.length)
  return isLeftOut ? 'one is cut off to the end' : undefined
}

function suffix (why: string | undefined): string {
  return why == null ? '' : ` (no promise: ${why})`
}

function burden (slow = 1, images = 1): string {
  return [slow > 1 ? `${slow} times slower` : '', images > 1 ? `with ${images} times the images` : ''].filter((each) => each !== '')
    .join(' and ')
}

function percent (share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
