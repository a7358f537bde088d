import type { Averager } from '../gossip-aggregation/averager.ts'
import type { Facts } from '../gossip-aggregation/facts.ts'
import { land, type Landing } from '../gossip-aggregation/landing.ts'
import type { AdapterStore } from '../home/adapter-store.ts'
import type { MetricsLog, RoundRecord, Scores } from '../home/metrics-log.ts'
import type { TrainPhase } from '../settings/method.ts'
import type { Arrival } from './arrival.ts'
import type { ScoredRound } from './best-round.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Clock } from './clock.ts'
import type { Company } from './company.ts'
import type { ExchangeLoop } from './exchange-loop.ts'
import type { GroupLoop } from './group-loop.ts'
import { saySpread } from './label-free.ts'
import { describeVote, type LabelVotes } from './label-votes.ts'
import type { Notices } from './notices.ts'
import type { PeerTable } from './peer-table.ts'
import type { Pace } from './pace.ts'
import { followPlan, type RoundPlan } from './plan.ts'
import type { PrivacyGuard } from './privacy-guard.ts'
import type { SiteRecord } from './site-record.ts'
import type { SitePhase } from './status.ts'
import type { Received, TrainerCalls, TrainWork } from './trainer-messages.ts'
import { sayUnused } from './unused-cores.ts'
import type { Weigh } from './weigh.ts'

/** What the pipeline needs of the trainer. */
interface Trainer {
  call<N extends 'train' | 'score'> (
    name: N,
    request: TrainerCalls[N]['request'],
    options: { signal: AbortSignal }
  ): Promise<TrainerCalls[N]['reply']>
  /** What is under way trains no more than the least of its steps. */
  shorten (): void
}

/** The network's half of a site; a site that trains alone has none. */
export interface OtherSites {
  readonly gossip: Pick<ExchangeLoop, 'initiate' | 'catchUp' | 'trouble'>
  readonly peers: Pick<
    PeerTable,
    'medianRound' | 'medianBelow' | 'medianAhead' | 'farAhead' | 'onRound' | 'finishedForMs' | 'believedInMs' | 'areHalfSlow' |
      'labelFits'
  >
  readonly pace: Pace
  readonly arrival: Arrival
  readonly company: Pick<Company, 'beforeRound' | 'ended'>
  readonly labelVotes: LabelVotes
  /** Where training is sealed. */
  readonly groups?: Pick<GroupLoop, 'wait' | 'trouble'> | undefined
  /** What this site scored itself, if anything. */
  readonly onScored?: (scored: ScoredRound | undefined) => void
  /** Estimated relative consensus distance, undefined while nobody else is there. */
  distance (): number | undefined
  /** Exchanges in a round. */
  readonly turnsPerRound: number
  readonly staleness: number
  /** Consensus distance at which a site that waits begins no exchange. */
  readonly closeness: number
  /** Milliseconds for which a site stays for the others when it has finished. */
  readonly stayMs: number
}

export interface RoundSite {
  readonly averager: Pick<Averager, 'snapshot' | 'shared' | 'land' | 'pass' | 'round' | 'steps'>
  readonly trainer: Trainer
  readonly others?: OtherSites
  /** Of a federation that promises differential privacy. */
  readonly privacy?: PrivacyGuard | undefined
  /** What a phase goes by of what all sites announce, where the method asks it. */
  readonly told?: ((round: number) => Pick<TrainWork, 'masses' | 'threshold' | 'siteVectors'>) | undefined
  /** Where sites weigh what they train by what all of them announce. */
  readonly weigh?: Weigh | undefined
  readonly plan: RoundPlan
  /** What other sites show at present; nothing when missing. */
  readonly received?: (() => readonly Received[]) | undefined
  /** After each landing, once it is on disk. */
  readonly onLanded?: ((round: number) => Promise<void>) | undefined
  /** Of the federation. */
  readonly rounds: number
  /** Whether a round looks at no label; undefined where none is so. */
  readonly isLabelFree?: ((round: number) => boolean) | undefined
  readonly store: Pick<AdapterStore, 'saveRound'>
  readonly checkpoint: Pick<Checkpoint, 'save' | 'state'>
  readonly metrics: Pick<MetricsLog, 'append'>
  readonly record: SiteRecord
  readonly notices: Notices
  readonly clock: Clock
  /** Returns once a phase of training may begin; at any time when missing. */
  readonly mayTrain?: (signal: AbortSignal) => Promise<void>
  /** Called whenever there is something new to announce. */
  readonly onPhase: (phase: SitePhase) => void
}

// While others are there, a site gives them this long to be free.
const EXCHANGE_MS = 20_000
const AHEAD_POLL_MS = 1_000
/** What is made up for is over by this part of the time for which the others stay. */
const MADE_UP = 0.5

/** What a round has come to so far. */
interface Round {
  number: number
  /** Phase G had landed before a crash. */
  readonly isLanded: boolean
  /** Milliseconds. */
  trainMs: number
  /** The adapter after the exchanges. */
  mixed: Float32Array | undefined
  /** Exchanges of it that phases which were made up for have had. */
  spent: number
  readonly loss: Record<TrainPhase, number | null>
  /** After phase G of a label-free round: how far apart images are to the model. */
  spread?: number | undefined
}

/**
 * One round as the plan says: what is trained before the exchanges lands in x, what is trained after them is fitted to the mixed
 * adapter; then it is scored, saved, recorded and announced. A site that is far behind catches up first, and trains the round after the
 * one that it took over.
 */
export async function trainRound (site: RoundSite, next: number, signal: AbortSignal): Promise<void> {
  const { trainer, others, checkpoint, record, clock } = site
  const began = { at: clock.now(), median: others?.peers.medianRound() }
  if (others != null) {
    const onWaiting = (): void => { enter(site, 'waiting', next) }
    await others.company.beforeRound({ onWaiting, catchUp: async () => { await catchUp(site, others, signal) }, signal })
    await catchUp(site, others, signal)
    await waitForOthers(site, others, next, signal)
  }
  const round = roundOf(site, next)
  others?.pace.begin(began)
  if (others != null && round.number === site.rounds) await makeUp(site, others, round, signal)
  await followPlan(site.plan, {
    train: async (phase) => { await trainPhase(site, round, phase, signal) },
    exchange: async () => { await exchange(site, round, signal) }
  })
  const { dice, classes, intervals, labelFits } = await trainer.call('score', { round: round.number, adapter: round.mixed! }, { signal })
  await checkpoint.save({ round: round.number, trained: site.averager.steps.trained })
  Object.assign(record, { dice, classes, intervals, labelFits, trainedBefore: site.averager.steps.trained })
  record.scored = scoredRound(record, round.number, dice)
  if (others != null) {
    others.onScored?.(record.scored)
    keepUp(site, others, round)
    sayLabels(site, others)
  }
  const consensus = others?.distance()
  const { steps } = site.averager
  const counts = record.closeRound(round.number)
  others?.company.ended(counts.exchanges)
  site.notices.over('behind', `this site has trained round ${round.number}, among the others again`)
  await site.metrics.append({
    t: new Date(clock.now()).toISOString(),
    round: round.number,
    ...scoresOf({ dice, classes, intervals }),
    lossG: round.loss.G,
    lossL: round.loss.L,
    ...counts,
    steps,
    pace: record.pace,
    ...labelFreeOf(site, round),
    ...(consensus == null ? {} : { consensus })
  })
}

function scoredRound ({ validationImages: images }: SiteRecord, round: number, dice: Scores['dice'] | undefined): ScoredRound | undefined {
  return dice != null && images > 0 && Number.isFinite(dice.global) ? { round, dice: dice.global, images } : undefined
}

/** What of a round is said where it looked at no label. */
function labelFreeOf ({ isLabelFree }: RoundSite, { number, spread }: Round): Pick<RoundRecord, 'labelFree' | 'spread'> {
  return isLabelFree?.(number) === true ? { labelFree: true, ...(spread == null ? {} : { spread }) } : {}
}

/** Nothing of a site without whole masks. */
function scoresOf ({ dice, classes, intervals }: { readonly [K in keyof Scores]?: Scores[K] | undefined }): Partial<Scores> {
  return { ...dice == null ? {} : { dice }, ...classes == null ? {} : { classes }, ...intervals == null ? {} : { intervals } }
}

/** What had landed before a crash is found in the checkpoint, and steps trained beyond those of the finished rounds tell it. */
function roundOf ({ averager, record, rounds }: RoundSite, next: number): Round {
  const isLanded = averager.steps.trained > record.trainedBefore
  const number = Math.max(next, averager.round + (isLanded ? 0 : 1))
  return { number: Math.min(number, rounds), isLanded, trainMs: 0, mixed: undefined, spent: 0, loss: { G: null, L: null } }
}

/** On the mixed adapter once there is one, on this site's own before. */
async function trainPhase (
  site: RoundSite,
  round: Round,
  phase: TrainPhase,
  signal: AbortSignal,
  extra?: { readonly share: number, readonly asRound: number }
): Promise<void> {
  const { averager, trainer, others, clock, record } = site
  if (phase === 'G' && round.isLanded) return
  if (phase === 'G' && site.privacy?.isSpent === true) {
    averager.pass(round.number)
    return
  }
  await site.mayTrain?.(signal)
  if (round.mixed == null) enter(site, phase, round.number)
  const before = round.mixed ?? averager.snapshot()
  const work = { phase, round: round.number, adapter: before, done: averager.steps.trained, share: record.pace, ...extra }
  const began = clock.now()
  const stopWatching = others?.peers.onRound(() => { if (isFallingBehind(site, others)) trainer.shorten() })
  const { adapter: after, loss, steps, facts, unused, spread } = await trainer.call('train', shown(site, work), { signal })
    .finally(() => { stopWatching?.() })
  round.trainMs += clock.now() - began
  round.loss[phase] = Number.isFinite(loss) ? loss : null
  sayUnused(site.notices, unused)
  noteSpread(site, round, phase, spread)
  if (after != null) await landed(site, { before, after, round: round.number, steps, factor: weighed(site, facts) })
}

function noteSpread ({ isLabelFree, notices }: RoundSite, round: Round, phase: TrainPhase, spread: number | undefined): void {
  if (phase === 'L') return
  round.spread = spread
  if (isLabelFree != null) saySpread(notices, round.number, spread)
}

/** With what other sites show, and what they announce. */
function shown ({ received, told, averager }: RoundSite, work: TrainWork): TrainWork {
  const shows = received == null ? work : { ...work, received: received() }
  return told == null ? shows : { ...shows, ...told(averager.round) }
}

/** By what the site and the others announce; what is made up for says nothing of its own. */
function weighed ({ weigh, record, averager }: RoundSite, said: Facts | undefined): number | undefined {
  if (weigh == null) return undefined
  const { facts, factor, parts } = weigh({ ...record.facts, ...said }, averager.round)
  Object.assign(record, { facts, landing: factor, parts })
  return factor
}

/** Where privacy is promised a landing is paid for before anybody can see it; what cannot be paid for does not land, nor does nothing. */
async function landed (
  { averager, privacy, checkpoint, onLanded }: RoundSite,
  landing: Landing & { readonly steps: number }
): Promise<void> {
  const hidden = landing.steps === 0 ? undefined : privacy == null ? {} : await privacy.spend(landing)
  if (hidden == null) averager.pass(landing.round)
  else land(averager, { ...landing, ...hidden })
  await checkpoint.save()
  await onLanded?.(landing.round)
}

/**
 * Before its last round a site whose phases were short trains more phases G, each mixed, while the others stay for it. The learning rate
 * falls meanwhile as it does in the last quarter of all rounds. Where fewer than half are slow the common adapter lacks little, and would
 * be drawn to the slow ones' images, since nobody else trains then (docs/gossip.md#slow-sites). Where privacy is promised, epsilon is for
 * the rounds alone.
 */
async function makeUp (site: RoundSite, { pace, peers, stayMs }: OtherSites, round: Round, signal: AbortSignal): Promise<void> {
  const { clock, rounds, plan, privacy } = site
  if (privacy != null || round.isLanded || !plan.before.includes('G') || !peers.areHalfSlow()) return
  const { owed } = pace
  const mostMs = Math.min(owed.ms, MADE_UP * stayMs)
  const began = clock.now()
  for (let left = owed.rounds; left >= 1;) {
    const spentMs = clock.now() - began
    const share = pace.shareIn(Math.min(mostMs - spentMs, MADE_UP * stayMs - peers.finishedForMs()))
    if (share === 0) return
    await trainPhase(site, round, 'G', signal, { share, asRound: Math.ceil(rounds * (3 + spentMs / mostMs) / 4) })
    await exchange(site, round, signal)
    Object.assign(round, { mixed: undefined, spent: site.record.exchangesInRound })
    left -= share
  }
}

/** One round more, and the others would refuse this site as stale. */
function isFallingBehind ({ averager }: RoundSite, { peers, staleness }: OtherSites): boolean {
  return (peers.medianRound() ?? 0) - averager.round >= staleness
}

/** How much is trained in the next round, and whether what was trained in this one arrives. */
function keepUp ({ averager, record, clock }: RoundSite, others: OtherSites, { number, trainMs }: Round): void {
  const { peers, pace, arrival, gossip, groups } = others
  const clipped = 'its exchanges were clipped, since its adapter is far from the others'
  pace.end({ at: clock.now(), median: peers.medianRound(), round: number, trainMs })
  record.pace = pace.share
  arrival.ended(averager.steps, () => groups?.trouble ?? gossip.trouble ?? clipped)
}

/** Said once for a pair; what is said of it later takes its place in the list. */
function sayLabels ({ record, notices }: RoundSite, { peers, labelVotes }: OtherSites): void {
  if (record.labelFits == null) return
  for (const vote of labelVotes.take(record.labelFits, peers.labelFits())) notices.warn(`labels ${vote.values.join()}`, describeVote(vote))
}

async function exchange (site: RoundSite, round: Round, signal: AbortSignal): Promise<void> {
  const { averager, others, store, checkpoint } = site
  if (others != null) {
    enter(site, 'exchange', round.number)
    await others.groups?.wait({ withinMs: EXCHANGE_MS, signal })
    await catchUp(site, others, signal)
    if (isStale(site, others)) {
      await initiate(site, others, round, { withinMs: Math.min(EXCHANGE_MS, others.peers.believedInMs()), signal })
      await catchUp(site, others, signal)
    }
    round.number = Math.max(round.number, averager.round)
    await initiate(site, others, round, { withinMs: EXCHANGE_MS, signal })
  }
  // From here on it works for its own patients: what is left of the plan, and the scores.
  enter(site, 'L', round.number)
  round.mixed = averager.shared()
  await store.saveRound({ ...checkpoint.state, values: round.mixed, round: round.number })
}

/** So far behind that most refuse it, shortly after its start, when it does not believe them yet. */
function isStale ({ averager }: RoundSite, { peers, staleness }: OtherSites): boolean {
  return peers.believedInMs() > 0 && (peers.medianRound() ?? 0) - averager.round > staleness
}

async function initiate (
  { record }: RoundSite,
  { gossip, pace, peers, turnsPerRound, staleness }: OtherSites,
  { spent }: Round,
  { withinMs, signal }: { withinMs: number, signal: AbortSignal }
): Promise<void> {
  const rounds = pace.rounds(peers.medianRound(), staleness)
  const [count, had] = [rounds * turnsPerRound, Math.floor((record.exchangesInRound - spent) / rounds)]
  await gossip.initiate({ count, had, withinMs, signal })
}

/**
 * A site more than S rounds behind the others' median is refused as stale by them: it takes the adapter and the round of one of them
 * over, and lands on top what it trained and never exchanged.
 */
export async function catchUp (
  { averager, checkpoint, notices, rounds, record }: Pick<RoundSite, 'averager' | 'checkpoint' | 'notices' | 'rounds' | 'record'>,
  { gossip, peers, staleness }: Pick<OtherSites, 'gossip' | 'peers' | 'staleness'>,
  signal: AbortSignal
): Promise<void> {
  const before = averager.round
  // Those who go on with an amended document may be in rounds that this site has none of.
  const upTo = Math.min(peers.medianAhead() ?? before, rounds)
  if (upTo - before <= staleness) return
  const ahead = (): string[] => peers.farAhead(averager.round, staleness, upTo)
  const partner = await gossip.catchUp({ ahead, upTo, withinMs: EXCHANGE_MS, signal })
  if (partner == null) return
  await checkpoint.save()
  const left = Math.max(1, rounds - averager.round)
  const late = record.exchangesByRound.length > 0 ? '' : `; since it came late, it trains ${left} of ${rounds} rounds with them`
  const by = staleness > 0 ? `more than ${staleness} ` : ''
  notices.warn(
    'behind',
    `this site was in round ${before}, ${by}behind the others: it took the adapter of site ${partner} over, with what it had trained ` +
      `itself on top, and goes on in round ${averager.round}` + late,
    { isNews: true }
  )
}

/** A site more than S rounds ahead of half of all, and more, has too few who could still exchange with it: it pauses training alone. */
async function waitForOthers (
  site: RoundSite,
  others: OtherSites,
  round: number,
  signal: AbortSignal
): Promise<void> {
  const { notices, clock } = site
  const { gossip, peers, staleness, closeness } = others
  const isAhead = (): boolean => round - 1 - (peers.medianBelow() ?? Infinity) > staleness
  if (!isAhead()) return
  notices.warn('ahead', `this site is more than ${staleness} rounds ahead of the others: training waits for them, exchanging goes on`)
  enter(site, 'waiting', round)
  const isApart = (): boolean => (others.distance() ?? Infinity) > closeness
  while (isAhead()) {
    // What an exchange would change next to nothing is left to those who have news.
    if (isApart()) await gossip.initiate({ count: 1, onlyDue: true, withinMs: AHEAD_POLL_MS, signal })
    await clock.sleep(AHEAD_POLL_MS, signal)
  }
  notices.over('ahead', 'the other sites caught up: training goes on')
}

function enter ({ record, onPhase }: RoundSite, phase: SitePhase, round: number): void {
  record.enter(phase, round)
  onPhase(phase)
}
