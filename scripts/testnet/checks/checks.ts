import { mean } from '../../../src/common/mean.ts'
import { PRESET_NAMES } from '../../../src/settings/methods/index.ts'
import type { Conditions } from '../conditions.ts'
import type { Strike } from '../journal.ts'
import type { HospitalReport, Report, ReportCheck } from '../report/report.ts'
import { STANDARD, type Base } from '../standard.ts'
import { arrivalChecks } from './arrival-checks.ts'
import { bytesCheck } from './bytes-check.ts'
import { conditionChecks } from './condition-checks.ts'
import type { LedgerComparison } from './ledgers.ts'
import { readerChecks } from './reader-checks.ts'

export interface CheckInput {
  readonly report: Omit<Report, 'checks'>
  readonly rounds: number
  readonly strikes: readonly Strike[]
  readonly conditions: Conditions
  /** Names of hospitals that paused training because they were far ahead. */
  readonly waited: ReadonlySet<string>
  /** Names of hospitals whose trainer outlived a killed daemon. */
  readonly orphaned: readonly string[]
  readonly ledgers: LedgerComparison
  /** The bundled sample with at least the default rounds: only for it are figures promised. */
  readonly standard: boolean
  readonly compared: boolean
}

const MIN_PERSONAL = 0.88
const MIN_GAIN = 0.10
const MAX_DISTANCE = 0.1
const MAX_EVENT_LOOP_MS = 50
const LOCAL_MARGIN = 0.005
const CROSS_SITE_GAIN = 0.05
const MIN_EXCHANGES = 2

/** Judges everything that is promised and can be judged in this run. */
export function judge (input: CheckInput): ReportCheck[] {
  const killed = new Set(input.strikes.filter(({ fault }) => fault.kind === 'kill').map(({ name }) => name))
  const { liars } = input.conditions
  const living = input.report.hospitals.filter(({ name }) => !killed.has(name))
  // What lying does to the liar's own Dice is promised to nobody.
  const honest = living.filter((hospital) => !liars.has(input.report.hospitals.indexOf(hospital)))
  return [
    ...runChecks(living, input),
    ...arrivalChecks({ ...input.report, honest, rounds: input.rounds, conditions: input.conditions }),
    ledgerCheck(input.ledgers),
    ...(input.standard ? qualityChecks(honest, input.report) : []),
    ...(input.standard && input.report.method === PRESET_NAMES[0] ? [bytesCheck(living, input.report)] : []),
    ...(input.compared
      ? compareChecks(honest, input).map((
        check
      ): ReportCheck => input.standard ? check : { ...check, kind: 'measure' })
      : []),
    ...input.strikes.flatMap((strike) => strikeChecks(strike, input)),
    ...conditionChecks(input),
    ...readerChecks(input.report.readers ?? [], input.rounds)
  ]
}

function runChecks (living: readonly HospitalReport[], { report, rounds, conditions: { liars } }: CheckInput): ReportCheck[] {
  const unfinished = living.filter(({ exitCode, rounds: done }) => exitCode !== 0 || done < rounds)
  const poor = living.flatMap((hospital) =>
    exchangesOf(hospital).filter(({ count }) => count < MIN_EXCHANGES).map(({ round, count }) =>
      `${hospital.name} ${count} in round ${round}`
    )
  )
  const least = Math.min(...living.flatMap((hospital) => exchangesOf(hospital).map(({ count }) => count)))
  const distance = report.consensus.findLast(({ round }) => round == null)?.distance
  const slowest = Math.max(...living.map(({ eventLoopP99Ms }) => eventLoopP99Ms ?? Infinity))
  return [
    result(
      'every hospital that was not killed finished all rounds and exited 0',
      unfinished.length === 0,
      unfinished.length === 0
        ? `${living.length} hospitals, ${rounds} rounds`
        : unfinished.map((each) => `${each.name}: ${each.rounds} of ${rounds} rounds, ${each.signal ?? `exit code ${each.exitCode}`}`).join(
          '; '
        )
    ),
    result(
      `at least ${MIN_EXCHANGES} exchanges per hospital and round`,
      poor.length === 0,
      poor.length === 0 ? `least: ${least}` : poor.join('; ')
    ),
    distanceCheck(distance, liars.size > 0),
    measure(
      `event loop delay (99th percentile) of every daemon < ${MAX_EVENT_LOOP_MS} ms`,
      slowest < MAX_EVENT_LOOP_MS,
      `slowest: ${Number.isFinite(slowest) ? `${slowest.toFixed(1)} ms` : 'unknown'}`
    )
  ]
}

/** Clipping bounds what a liar moves, it does not undo it: beside one the others stay apart by as much as it may push them. */
function distanceCheck (distance: number | undefined, besideLiars: boolean): ReportCheck {
  const detail = distance == null ? 'fewer than two hospitals finished' : distance.toFixed(4)
  const ok = distance != null && distance <= MAX_DISTANCE
  return besideLiars
    ? measure(`relative consensus distance of the honest hospitals at the end ≤ ${MAX_DISTANCE}`, ok, detail)
    : result(`relative consensus distance at the end ≤ ${MAX_DISTANCE}`, ok, detail)
}

function ledgerCheck ({ matched, explained, problems }: LedgerComparison): ReportCheck {
  return result(
    'every audit ledger holds, and every two agree about their exchanges',
    problems.length === 0 && matched > 0,
    problems.length > 0
      ? problems.join('; ')
      : `${matched} exchanges told alike by both sides${
        explained > 0 ? `, ${explained} by one side only, because the other crashed or the last message was lost` : ''
      }`
  )
}

/** Of the rounds that it trained: a hospital that fell far behind skips some. */
function exchangesOf ({ exchangesByRound, history }: HospitalReport): { round: number, count: number }[] {
  return history.map(({ round }) => ({ round, count: exchangesByRound[round - 1] ?? 0 }))
}

/** Of the sample with classes these figures are promised for the brain, which its masks show without classes. */
function qualityChecks (
  living: readonly HospitalReport[],
  { wallSeconds, baseModel }: Pick<Report, 'wallSeconds' | 'baseModel'>
): ReportCheck[] {
  const { seconds } = STANDARD[baseModel as Base]
  const isNamed = living.some(({ classes }) => classes != null)
  const judged = isNamed ? living.map((each) => ({ ...each, dice: { ...each.dice, ...each.classes?.['brain'] } })) : living
  const [personal, frozen] = [meanDice(judged, 'personal'), meanDice(judged, 'frozen')]
  const of = isNamed ? ' of the brain' : ''
  return [
    result(`mean personal Dice${of} ≥ ${MIN_PERSONAL}`, personal >= MIN_PERSONAL, personal.toFixed(4)),
    result(
      `mean personal Dice${of} ≥ mean frozen Dice + ${MIN_GAIN.toFixed(2)}`,
      personal >= frozen + MIN_GAIN,
      `${personal.toFixed(4)} against ${frozen.toFixed(4)}`
    ),
    measure(`done in under ${seconds / 60} minutes`, wallSeconds < seconds, `${wallSeconds.toFixed(0)} s`)
  ]
}

function compareChecks (living: readonly HospitalReport[], { report: { crossSite } }: CheckInput): ReportCheck[] {
  const personal = meanDice(living, 'personal')
  const local = meanDice(living, 'local')
  return [
    result(
      `mean personal Dice ≥ mean Dice when trained alone − ${LOCAL_MARGIN}`,
      personal >= local - LOCAL_MARGIN,
      `${personal.toFixed(4)} against ${local.toFixed(4)}`
    ),
    result(
      `on the other hospitals' images the global adapter is better than training alone by ≥ ${CROSS_SITE_GAIN}`,
      crossSite != null && crossSite.global >= crossSite.local + CROSS_SITE_GAIN,
      crossSite == null ? 'not measured' : `${crossSite.global.toFixed(4)} against ${crossSite.local.toFixed(4)}`
    )
  ]
}

function strikeChecks (strike: Strike, { report, orphaned, rounds }: CheckInput): ReportCheck[] {
  const { name, round, fault, peerId, peerIdAfter, roundAfter } = strike
  const trainer = result(
    `the trainer of ${name} ended with its killed daemon`,
    !orphaned.includes(name),
    orphaned.includes(name) ? 'it had to be ended' : `killed in round ${round}`
  )
  if (fault.kind === 'kill') return [trainer]
  const hospital = report.hospitals.find((each) => each.name === name)
  const later = (hospital?.exchangesByRound ?? []).slice(round).reduce((sum, count) => sum + count, 0)
  return [
    trainer,
    result(`${name} came back under the same peer id`, peerId !== '' && peerId === peerIdAfter, peerIdAfter ?? 'it was not seen again'),
    // Killed between the end of a round and the saving of it, it may repeat that round, never an earlier one.
    result(
      `${name} resumed from its checkpoint`,
      roundAfter != null && roundAfter >= round,
      roundAfter == null ? 'it did not work again' : `killed in round ${round}, went on in round ${roundAfter}`
    ),
    ...(round < rounds ? [result(`${name} found the others again`, later > 0, `${later} exchanges in the rounds after`)] : [])
  ]
}

/** NaN (which no comparison accepts) when a hospital has no such figure. */
export function meanDice (hospitals: readonly HospitalReport[], mode: 'frozen' | 'local' | 'global' | 'personal'): number {
  return mean(hospitals.map(({ dice }) => dice[mode] ?? NaN))
}

function result (name: string, ok: boolean, detail: string): ReportCheck {
  return { name, ok, detail, kind: 'result' }
}

function measure (name: string, ok: boolean, detail: string): ReportCheck {
  return { name, ok, detail, kind: 'measure' }
}
