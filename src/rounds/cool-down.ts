import { doublingMs } from '../common/doubling.ts'
import type { Clock } from './clock.ts'
import type { ExchangeLoop } from './exchange-loop.ts'
import type { PeerTable } from './peer-table.ts'

export interface CoolDownInit {
  readonly gossip: Pick<ExchangeLoop, 'initiate' | 'sweep' | 'rewind'>
  readonly peers: Pick<PeerTable, 'unfinished' | 'expectsSomebody' | 'haveLeft' | 'missed'>
  readonly clock: Clock
  /** Estimated relative consensus distance. */
  readonly distance: () => number | undefined
  /** An exchange in doubt can be settled now. */
  readonly isInDoubt: () => boolean
  readonly limits: { readonly distance: number, readonly seconds: number }
  /** It has nothing to do and stays all the same, to the time limit, until somebody has come. */
  readonly isOpen?: boolean
  /** Told whom it waits for, whenever that changes: ids of sites that still train, or have gone. */
  readonly onWaiting?: (ids: readonly string[]) => void
}

export type CoolDownEnd = 'close enough' | 'the others have left' | 'alone' | 'time limit'

const PAUSE_MS = 100
// Others' sketches travel with their announcements, at most one a second; so does the word that a site has finished.
const HEARD_MS = 1_200
const LOOK = { firstMs: 1_500, lastMs: 30_000 }

/**
 * After the last round: exchanges only. While others train, a site is there for them, and begins an exchange itself only where one is
 * due; once all have finished they sweep, until the sites agree or the time limit is reached.
 */
export async function coolDown (
  { gossip, peers, clock, distance, isInDoubt, limits, isOpen = false, onWaiting }: CoolDownInit,
  signal: AbortSignal
): Promise<CoolDownEnd> {
  const end = clock.now() + limits.seconds * 1_000
  const isFar = (): boolean => (distance() ?? Infinity) > limits.distance
  const left = (): number => Math.max(0, end - clock.now())
  let next = clock.now() + HEARD_MS
  let sweeps = 0
  const unfinished = watched(peers, onWaiting)
  gossip.rewind()
  while (left() > 0) {
    const waitsFor = unfinished()
    if (!peers.expectsSomebody()) {
      if (peers.haveLeft()) return 'the others have left'
      if (waitsFor === 0 && !isOpen) return 'alone'
    } else if (waitsFor > 0) {
      sweeps = 0
      gossip.rewind()
      if (isFar()) await gossip.initiate({ count: 1, onlyDue: true, withinMs: PAUSE_MS, signal })
    } else if (clock.now() >= next) {
      if (sweeps > 0 && !isFar() && !isInDoubt()) return 'close enough'
      if (sweeps === 0 || isFar()) {
        if (sweeps > 0) gossip.rewind()
        await gossip.sweep({ withinMs: left(), signal })
        next = clock.now() + doublingMs(LOOK, sweeps++)
      }
    }
    await clock.sleep(Math.min(PAUSE_MS, left()), signal)
  }
  return 'time limit'
}

/**
 * How many still train, or, where nobody is there, were there and have not finished; tells whenever they are others than before. Of
 * several that are there none waits long for one that is not: that one will find nobody, and wait.
 */
function watched (peers: CoolDownInit['peers'], onChange: CoolDownInit['onWaiting']): () => number {
  let before = ''
  return () => {
    const ids = peers.expectsSomebody() ? peers.unfinished() : peers.missed()
    if (ids.join() !== before) onChange?.(ids)
    before = ids.join()
    return ids.length
  }
}
