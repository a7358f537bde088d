import type { Averager } from '../gossip-aggregation/averager.ts'
import type { ExchangeLoop } from '../rounds/exchange-loop.ts'

/** A site of a simulation: the daemon's own averager and gossip loop. */
export interface VirtualSite {
  readonly index: number
  readonly id: string
  readonly averager: Averager
  readonly gossip: ExchangeLoop
  readonly isLiar: boolean
  readonly isSlow: boolean
  isAway: boolean
  /** Of vectors, through the last cycle; other messages are not counted. */
  bytesSent: number
  /** Told of an exchange that another site began. */
  readonly onServed?: (partner: string) => void
  /** By what training and catching up moved x, where there is either. */
  readonly moved?: Float64Array
  /** As announced at the start of the cycle. */
  sketch: Float32Array | undefined
}
