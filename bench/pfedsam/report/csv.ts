import { mean } from '../../../src/common/mean.ts'
import type { RunRecord } from '../../../src/experiment/run-job.ts'
import { conditionName } from '../labels.ts'
import { overSitesOf, randOf, withinOf, worstOf } from '../summary.ts'

const SITES = [
  'data', 'method', 'seed', 'site', 'images', 'dice', 'iou', 'hd95', 'missed', 'globalDice', 'aloneDice', 'serves', 'bytesPerRound'
]
const RUNS = ['data', 'method', 'seed', 'dice', 'worst', 'sdOverSites', 'globalDice', 'ownGroup', 'rand']
const IMAGES = ['data', 'method', 'seed', 'site', 'image', 'dice', 'iou', 'hd95']
const DIGITS = 5

/** A line per run and site that took part. */
export function sitesCsv (records: readonly RunRecord[]): string {
  return lines(
    SITES,
    whole(records).flatMap(({ job, sites }) =>
      sites.map((
        { name, images, dice, iou, hd95, missed, globalDice, aloneDice = null, serves = null, bytesSent }
      ) => [
        conditionName(job), job.method, job.seed, name, images, dice, iou, hd95, missed, globalDice, aloneDice, serves,
        Math.round(bytesSent / job.rounds)
      ])
    )
  )
}

/** A line per run. */
export function runsCsv (records: readonly RunRecord[]): string {
  return lines(RUNS, whole(records).map((run) => {
    const { job, sites } = run
    const [dice, globalDice] = [mean(sites.map((site) => site.dice)), mean(sites.map((site) => site.globalDice))]
    return [
      conditionName(job), job.method, job.seed, dice, worstOf(run), overSitesOf(run), globalDice, withinOf(run) ?? null, randOf(run) ?? null
    ]
  }))
}

/** A line per validation image. */
export function imagesCsv (records: readonly RunRecord[]): string {
  return lines(IMAGES, whole(records).flatMap(({ job, sites }) => sites.flatMap(({ name, perImage }) =>
    perImage.map(({ dice, iou, hd95 }, image) => [conditionName(job), job.method, job.seed, name, image, dice, iou, hd95]))))
}

function whole (records: readonly RunRecord[]): RunRecord[] {
  return records.filter(({ job }) => job.leftOut == null)
}

function lines (head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  return `${[head, ...rows].map((row) => row.map(cell).join(',')).join('\n')}\n`
}

/** No name here has a comma or a quote. */
function cell (value: string | number | null): string {
  if (value == null) return ''
  return typeof value === 'number' ? String(Number(value.toFixed(DIGITS))) : value
}
