import type { Clock } from './clock.ts'
import type { ExchangeLoop } from './exchange-loop.ts'
import type { PeerTable } from './peer-table.ts'

export interface CoolDownInit {
  readonly gossip: Pick<ExchangeLoop, 'initiate'>
  readonly peers: Pick<PeerTable, 'unfinished' | 'expectsSomebody' | 'connectedCount'>
  readonly clock: Clock
  /** Estimated relative consensus distance. */
  readonly distance: () => number | undefined
  /** An exchange in doubt can be settled now. */
  readonly isInDoubt: () => boolean
  readonly limits: { readonly distance: number, readonly seconds: number }
}

export type CoolDownEnd = 'close enough' | 'alone' | 'time limit'

const PAUSE_MS = 300
// Others' sketches travel with their announcements, at most one a second.
const FIRST_LOOK_MS = 2_500

/** After the last round: exchanges only, until the sites agree and nobody still trains, or the time limit is reached. */
export async function coolDown (
  { gossip, peers, clock, distance, isInDoubt, limits }: CoolDownInit,
  signal: AbortSignal
): Promise<CoolDownEnd> {
  const start = clock.now()
  const end = start + limits.seconds * 1_000
  while (clock.now() < end) {
    if (!peers.expectsSomebody()) return 'alone'
    const looked = clock.now() - start >= FIRST_LOOK_MS
    if (looked && peers.unfinished().length === 0 && !isInDoubt() && (distance() ?? Infinity) <= limits.distance) return 'close enough'
    await gossip.initiate({ count: 1, withinMs: PAUSE_MS, signal })
    await clock.sleep(Math.min(PAUSE_MS, Math.max(0, end - clock.now())), signal)
  }
  return 'time limit'
}
