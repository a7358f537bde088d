import type { Averager } from '../gossip-aggregation/averager.ts'
import type { AdapterStore } from '../home/adapter-store.ts'
import type { MetricsLog } from '../home/metrics-log.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Clock } from './clock.ts'
import type { ExchangeLoop } from './exchange-loop.ts'
import type { Notices } from './notices.ts'
import type { PeerTable } from './peer-table.ts'
import type { SiteRecord } from './site-record.ts'
import type { SitePhase } from './status.ts'

export interface ReadingSite {
  readonly averager: Pick<Averager, 'snapshot' | 'round'>
  readonly gossip: Pick<ExchangeLoop, 'initiate'>
  readonly peers: Pick<PeerTable, 'candidates' | 'medianRound' | 'unfinished' | 'haveLeft'>
  readonly store: Pick<AdapterStore, 'saveRound'>
  readonly checkpoint: Pick<Checkpoint, 'save' | 'state'>
  readonly metrics: Pick<MetricsLog, 'append' | 'finishedRounds'>
  readonly record: SiteRecord
  readonly notices: Pick<Notices, 'warn' | 'over'>
  readonly clock: Clock
  /** Estimated relative consensus distance. */
  readonly distance: () => number | undefined
  /** Called whenever there is something new to announce. */
  readonly onPhase: (phase: SitePhase) => void
  /** Another document is to be gone on with. */
  readonly isAmended: () => Promise<boolean>
}

const POLL_MS = 1_000
const READ_MS = 20_000

/**
 * The rounds of a site without labels: it trains none and reads the adapter of one of the others whenever half of them have come to a later
 * round than it has read. Resolves when those that are there have finished their rounds and it has read the last, or when they have left
 * and it has read any.
 */
export async function readAlong (site: ReadingSite, signal: AbortSignal): Promise<'finished' | 'amended'> {
  const { averager, peers, metrics, clock } = site
  for (;;) {
    signal.throwIfAborted()
    if (await site.isAmended()) return 'amended'
    const isThere = peers.candidates().length > 0
    const isBehind = isThere && (peers.medianRound() ?? 0) > averager.round
    if (isBehind) await read(site, signal)
    else if (metrics.finishedRounds > 0 && isOver(site, isThere)) return 'finished'
    sayWhether(site, isThere)
    await clock.sleep(POLL_MS, signal)
  }
}

/** Of those that are there at least one must have said where it is. */
function isOver ({ peers }: ReadingSite, isThere: boolean): boolean {
  return isThere ? peers.medianRound() != null && peers.unfinished().length === 0 : peers.haveLeft()
}

/** A partner that is farther off than a site lets it be moves the site by a part, and its round stays: another is read next. */
async function read (site: ReadingSite, signal: AbortSignal): Promise<void> {
  const { averager, gossip, store, checkpoint, metrics, record, clock } = site
  enter(site, 'reading')
  const committed = await gossip.initiate({ count: 1, withinMs: READ_MS, signal })
  if (committed === 0 || averager.round <= metrics.finishedRounds) return
  const { round } = averager
  await store.saveRound({ ...checkpoint.state, values: averager.snapshot(), round })
  await checkpoint.save({ round, trained: 0 })
  const consensus = site.distance()
  await metrics.append({
    t: new Date(clock.now()).toISOString(),
    round,
    lossG: null,
    lossL: null,
    ...record.closeRound(round),
    ...(consensus == null ? {} : { consensus })
  })
  enter(site, 'reading')
}

function sayWhether ({ notices, peers }: ReadingSite, isThere: boolean): void {
  if (isThere) notices.over('alone', 'another site is there: this site reads from it')
  else {
    notices.warn('alone', peers.haveLeft()
      ? 'all other sites have finished and left before this site could read from one: it waits for one to come back'
      : 'no other site can be reached: this site has no labels, and waits for one to read from')
  }
}

function enter ({ record, averager, onPhase }: ReadingSite, phase: SitePhase): void {
  record.enter(phase, averager.round)
  onPhase(phase)
}
