import type { FederationDocument } from '../../../src/federation/document.ts'
import type { Dice, RoundRecord } from '../../../src/home/metrics-log.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { PRESET_NAMES } from '../../../src/settings/methods/index.ts'
import type { Conditions } from '../conditions.ts'
import type { HomeResult, SavedSummary } from '../hospitals/homes.ts'
import type { HospitalProcess } from '../hospitals/hospital-process.ts'
import { exactConsensus } from './exact-consensus.ts'
import type { CrossSite, HospitalReport, Report } from './report.ts'

export interface SiteOutcome {
  readonly process: Pick<HospitalProcess, 'hospital' | 'status' | 'exitCode' | 'signal' | 'restarts'>
  readonly result: HomeResult
  /** Personal Dice of the same hospital trained alone; null without --compare. */
  readonly local: number | null
}

export interface ReportInput {
  readonly id: string
  readonly document: FederationDocument
  readonly data: string
  readonly sites: readonly SiteOutcome[]
  /** The adapters of liars tell nothing about the agreement of the others. */
  readonly conditions: Pick<Conditions, 'liars' | 'images'>
  readonly crossSite: CrossSite | null
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly federationSeconds: number
  readonly wallSeconds: number
}

/** Everything of report.json but the checks. */
export function buildReport (
  { id, document, data, sites, conditions: { liars, images }, crossSite, startedAt, federationSeconds, wallSeconds }: ReportInput
): Omit<Report, 'checks'> {
  const secondsOf = (t: string): number => Math.max(0, (Date.parse(t) - startedAt) / 1000)
  return {
    federation: id,
    seed: document.training.seed,
    method: document.method?.preset ?? PRESET_NAMES[0],
    engine: namesOf(sites.map(({ result }) => result.summary?.engine)),
    provider: namesOf(sites.map(({ result }) => result.summary?.provider)),
    baseModel: document.model.name,
    baseHash: document.model.baseHash,
    data,
    wallSeconds,
    stepsPerRound: document.training.stepsPerRound ?? null,
    hospitals: sites.map((site, index) => ({ ...describeHospital(site, secondsOf), imagesFactor: images.get(index) ?? 1 })),
    crossSite,
    consensus: exactConsensus(
      sites.filter((_, site) => !liars.has(site)).map(({ process, result }) => ({ result, finished: process.exitCode === 0 })),
      secondsOf,
      federationSeconds
    )
  }
}

function namesOf (names: ReadonlyArray<string | undefined>): string {
  return [...new Set(names.filter((name) => name != null))].join(', ') || 'unknown'
}

/** What a summary and a live status both say, for a daemon that never answered too. */
type Known = Pick<SiteStatus, 'exchanges' | 'bytesSent' | 'bytesReceived' | 'warnings'> & {
  peerId: string | null,
  eventLoopP99Ms: number | null
}

const UNKNOWN: Known = { peerId: null, exchanges: 0, bytesSent: 0, bytesReceived: 0, eventLoopP99Ms: null, warnings: [] }

/** From the summary where the daemon ended well, else the last that is known from its rounds and its status. */
function describeHospital (
  { process, result: { summary, rounds }, local }: SiteOutcome,
  secondsOf: (t: string) => number
): Omit<HospitalReport, 'imagesFactor'> {
  const known: Known = summary ?? process.status ?? UNKNOWN
  return {
    name: process.hospital.name,
    peerId: known.peerId,
    rounds: rounds.at(-1)?.round ?? 0,
    ...describeImages(summary),
    ...describeTraining(summary, process.status, rounds.at(-1)),
    exchanges: known.exchanges,
    inDoubt: summary?.inDoubt ?? null,
    exchangesByRound: summary?.exchangesByRound ?? rounds.map(({ exchanges }) => exchanges),
    bytesSent: known.bytesSent,
    bytesReceived: known.bytesReceived,
    dice: describeDice(summary?.dice ?? rounds.at(-1)?.dice, local),
    ...describeClasses(summary, rounds.at(-1)),
    eventLoopP99Ms: known.eventLoopP99Ms,
    exitCode: process.exitCode,
    signal: process.signal,
    restarts: process.restarts,
    warnings: known.warnings,
    history: rounds.flatMap(({ round, t, dice }) =>
      dice == null ? [] : [{ round, t: secondsOf(t), global: dice.global, personal: dice.personal }])
  }
}

function describeImages (summary: SavedSummary | undefined): Pick<HospitalReport, 'images' | 'validationImages'> {
  return summary == null ? { images: null, validationImages: null } : { images: summary.images, validationImages: summary.validationImages }
}

function describeTraining (
  summary: SavedSummary | undefined,
  status: SiteStatus | undefined,
  last: RoundRecord | undefined
): Pick<HospitalReport, 'imagesSeen' | 'steps' | 'pace'> {
  if (summary != null) return { imagesSeen: summary.imagesSeen, steps: summary.steps, pace: summary.pace }
  const { images, steps = last?.steps, pace = last?.pace }: Partial<SiteStatus> = status ?? {}
  return { imagesSeen: images?.seen ?? null, steps: steps ?? null, pace: pace ?? null }
}

function describeClasses (summary: SavedSummary | undefined, last: RoundRecord | undefined): Pick<HospitalReport, 'classes'> {
  const classes = summary?.classes ?? last?.classes
  return classes == null ? {} : { classes }
}

function describeDice (dice: Dice | undefined, local: number | null): HospitalReport['dice'] {
  return dice == null ? { frozen: null, local, global: null, personal: null } : { ...dice, local }
}
