import { doublingMs } from '../common/doubling.ts'
import type { Clock } from './clock.ts'
import type { ExchangeLoop } from './exchange-loop.ts'
import type { PeerTable } from './peer-table.ts'

export interface CoolDownInit {
  readonly gossip: Pick<ExchangeLoop, 'initiate' | 'sweep' | 'rewind'>
  readonly peers: Pick<PeerTable, 'waitedFor' | 'expectsSomebody' | 'haveLeft'>
  readonly clock: Clock
  /** Estimated relative consensus distance. */
  readonly distance: () => number | undefined
  /** An exchange in doubt can be settled now. */
  readonly isInDoubt: () => boolean
  readonly limits: { readonly distance: number, readonly seconds: number }
  /** It has nothing to do and stays all the same, to the time limit, until somebody has come. */
  readonly isOpen?: boolean
  /** There are more rounds than this site knew of. */
  readonly isAmended?: () => boolean
  /** Told whom it waits for, whenever that changes: ids of sites that still train, or have gone. */
  readonly onWaiting?: (ids: readonly string[]) => void
}

export type CoolDownEnd = 'close enough' | 'the others have left' | 'alone' | 'time limit' | 'amended'

const PAUSE_MS = 100
// Others' sketches travel with their announcements, at most one a second; so does the word that a site has finished.
const HEARD_MS = 1_200
const LOOK = { firstMs: 1_500, lastMs: 30_000 }

/**
 * After the last round: exchanges only. While others train, a site is there for them, and begins an exchange itself only where one is
 * due; once all have finished they sweep, until the sites agree or the time limit is reached.
 */
export async function coolDown (
  { gossip, peers, clock, distance, isInDoubt, limits, isOpen = false, isAmended = () => false, onWaiting }: CoolDownInit,
  signal: AbortSignal
): Promise<CoolDownEnd> {
  const end = clock.now() + limits.seconds * 1_000
  const isFar = (): boolean => (distance() ?? Infinity) > limits.distance
  const left = (): number => Math.max(0, end - clock.now())
  let next = clock.now() + HEARD_MS
  let sweeps = 0
  const waitedFor = watched(peers, onWaiting)
  const serve = async (): Promise<void> => {
    sweeps = 0
    gossip.rewind()
    if (isFar()) await gossip.initiate({ count: 1, onlyDue: true, withinMs: PAUSE_MS, signal })
  }
  const settle = async (): Promise<CoolDownEnd | undefined> => {
    if (clock.now() < next) return undefined
    if (sweeps > 0 && !isFar()) return isInDoubt() ? undefined : 'close enough'
    if (sweeps > 0) gossip.rewind()
    await gossip.sweep({ withinMs: left(), signal })
    next = clock.now() + doublingMs(LOOK, sweeps++)
    return undefined
  }
  gossip.rewind()
  while (left() > 0) {
    if (isAmended()) return 'amended'
    const waits = waitedFor() > 0
    if (!peers.expectsSomebody()) {
      if (peers.haveLeft()) return 'the others have left'
      if (!waits && !isOpen) return 'alone'
    } else if (waits) await serve()
    else {
      const reached = await settle()
      if (reached != null) return reached
    }
    await clock.sleep(Math.min(PAUSE_MS, left()), signal)
  }
  return 'time limit'
}

/** How many it waits for; tells whenever they are others than before. */
function watched (peers: CoolDownInit['peers'], onChange: CoolDownInit['onWaiting']): () => number {
  let before = ''
  return () => {
    const ids = peers.waitedFor()
    if (ids.join() !== before) onChange?.(ids)
    before = ids.join()
    return ids.length
  }
}
