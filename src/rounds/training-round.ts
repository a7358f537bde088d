import type { Averager } from '../gossip-aggregation/averager.ts'
import type { AdapterStore } from '../home/adapter-store.ts'
import type { MetricsLog } from '../home/metrics-log.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Clock } from './clock.ts'
import type { Gossip } from './exchange-loop.ts'
import type { Notices } from './notices.ts'
import type { PeerTable } from './peer-table.ts'
import type { SiteRecord } from './site-record.ts'
import type { SitePhase } from './status.ts'
import type { TrainerCalls, Work } from './trainer-messages.ts'

type WorkName = Exclude<keyof TrainerCalls, 'setup'>

/** What the pipeline needs of the trainer. */
interface Trainer {
  call<N extends WorkName> (name: N, work: Work, options: { signal: AbortSignal }): Promise<TrainerCalls[N]['reply']>
}

/** The network's half of a site; a site that trains alone has none. */
export interface Company {
  readonly gossip: Pick<Gossip, 'initiate' | 'catchUp'>
  readonly peers: Pick<PeerTable, 'medianRound' | 'farAhead'>
  /** Estimated relative consensus distance, undefined while nobody else is there. */
  distance (): number | undefined
  /** Exchanges before phase L. */
  readonly turnsPerRound: number
  readonly staleness: number
}

export interface RoundSite {
  readonly averager: Pick<Averager, 'snapshot' | 'land' | 'round'>
  readonly trainer: Trainer
  readonly company?: Company
  /** When experts are fitted: after the exchange, to the mixed adapter, or before it, to this site's own (docs/spec/pfedsam.md#order). */
  readonly order?: 'G-exchange-L' | 'GL-local' | undefined
  readonly store: Pick<AdapterStore, 'saveRound'>
  readonly checkpoint: Pick<Checkpoint, 'save' | 'state'>
  readonly metrics: Pick<MetricsLog, 'append'>
  readonly record: SiteRecord
  readonly notices: Notices
  readonly clock: Clock
  /** Called whenever there is something new to announce. */
  readonly onPhase: (phase: SitePhase) => void
}

// While others are there, a site gives them this long to be free.
const EXCHANGE_MS = 20_000
const AHEAD_POLL_MS = 1_000

/**
 * One round, one way: snapshot → phase G → delta lands → exchanges → phase L on the mixed adapter → saved, recorded, announced. With
 * `GL-local` experts are fitted before the exchanges. A site that is far behind catches up and goes on with the round that it took
 * over.
 */
export async function trainRound (site: RoundSite, next: number, signal: AbortSignal): Promise<void> {
  const { averager, trainer, company, store, checkpoint, record, clock } = site
  if (company != null) {
    await catchUp(site, company, signal)
    await waitForOthers(site, company, next, signal)
  }
  let round = Math.max(next, averager.round)
  let lossG: number | null = null
  // A restart finds the result of phase G in the checkpoint, if it had landed.
  if (averager.round < round) {
    enter(site, 'G', round)
    const before = averager.snapshot()
    const { adapter, loss } = await trainer.call('phaseG', { round, adapter: before }, { signal })
    averager.land(before, adapter, round)
    lossG = loss
    await checkpoint.save()
  }
  const early = site.order === 'GL-local' ? await fitExpertsEarly(site, round, signal) : undefined
  if (company != null) {
    enter(site, 'exchange', round)
    await catchUp(site, company, signal)
    round = Math.max(round, averager.round)
    await company.gossip.initiate({ count: company.turnsPerRound, withinMs: EXCHANGE_MS, signal })
  }
  enter(site, 'L', round)
  const mixed = averager.snapshot()
  await store.saveRound({ ...checkpoint.state, values: mixed, round })
  // Experts that were fitted before the exchange are only scored here.
  const { loss, dice } = await trainer.call('phaseL', { round, adapter: mixed }, { signal })
  const lossL = early ?? loss
  await checkpoint.save()
  record.dice = dice
  const consensus = company?.distance()
  await site.metrics.append({
    t: clock.now(),
    round,
    dice,
    lossG,
    lossL: Number.isFinite(lossL) ? lossL : null,
    ...record.closeRound(round),
    ...(consensus == null ? {} : { consensus })
  })
}

/** Phase L on this site's own adapter; resolves with its loss. */
async function fitExpertsEarly (site: RoundSite, round: number, signal: AbortSignal): Promise<number> {
  enter(site, 'L', round)
  const { loss } = await site.trainer.call('phaseL', { round, adapter: site.averager.snapshot() }, { signal })
  return loss
}

/**
 * A site more than S rounds behind the others' median is refused as stale by them: it takes the adapter and the round of one of them
 * over. What it trained and never exchanged is lost.
 */
async function catchUp (
  { averager, checkpoint, notices }: RoundSite,
  { gossip, peers, staleness }: Company,
  signal: AbortSignal
): Promise<void> {
  const before = averager.round
  if ((peers.medianRound() ?? before) - before <= staleness) return
  const partner = await gossip.catchUp({ ahead: () => peers.farAhead(averager.round, staleness), withinMs: EXCHANGE_MS, signal })
  if (partner == null) return
  await checkpoint.save()
  notices.warn(
    `behind ${before}`,
    `this site was in round ${before}, more than ${staleness} behind the others: it took the adapter of site ${partner} over and ` +
      `goes on in round ${averager.round}`
  )
}

/** A site more than S rounds ahead of the others' median would be refused as stale: it pauses training, not exchanging. */
async function waitForOthers (site: RoundSite, { gossip, peers, staleness }: Company, round: number, signal: AbortSignal): Promise<void> {
  const { notices, clock } = site
  const isAhead = (): boolean => round - 1 - (peers.medianRound() ?? Infinity) > staleness
  if (!isAhead()) return
  notices.warn('ahead', `this site is more than ${staleness} rounds ahead of the others: training waits for them, exchanging goes on`)
  enter(site, 'waiting', round)
  while (isAhead()) {
    await gossip.initiate({ count: 1, withinMs: AHEAD_POLL_MS, signal })
    await clock.sleep(AHEAD_POLL_MS, signal)
  }
  notices.over('ahead', 'the other sites caught up: training goes on')
}

function enter ({ record, onPhase }: RoundSite, phase: SitePhase, round: number): void {
  record.enter(phase, round)
  onPhase(phase)
}
