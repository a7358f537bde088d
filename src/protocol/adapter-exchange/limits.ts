import { LRUCache } from 'lru-cache'

/** Time limits of one exchange (docs/spec/network.md#protocols), milliseconds. */
export interface Limits {
  readonly dialMs: number
  /** Until the Offer, or its Answer, or the first chunk comes. */
  readonly firstByteMs: number
  /** Between two frames, and until a full stream takes more. */
  readonly progressMs: number
  /** The whole exchange may take this much, or four times what the link's observed rate predicts. */
  readonly leastTotalMs: number
}

export const DEFAULT_LIMITS: Limits = { dialMs: 10_000, firstByteMs: 10_000, progressMs: 10_000, leastTotalMs: 30_000 }

/** Of a link that nothing is known about: 1 Mbit/s, in bytes per millisecond. */
const UNKNOWN_RATE = 125
const PATIENCE = 4
const MAX_PARTNERS = 1024

/** Observed rates, from which the time limit of the next exchange follows; the partner that was quiet longest is forgotten. */
export class Rates {
  readonly #bytesPerMs = new LRUCache<string, number>({ max: MAX_PARTNERS })

  /** Milliseconds that an exchange of `bytes` each way may take. */
  totalMs (partner: string, bytes: number, { leastTotalMs }: Limits): number {
    return Math.max(leastTotalMs, PATIENCE * bytes / (this.#bytesPerMs.peek(partner) ?? UNKNOWN_RATE))
  }

  observe (partner: string, bytes: number, ms: number): void {
    this.#bytesPerMs.set(partner, bytes / Math.max(ms, 1))
  }
}
