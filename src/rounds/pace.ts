import { LEAST_SHARE } from '../settings/training.ts'

interface Stretch {
  /** Milliseconds. */
  readonly at: number
  /** Median of the others' rounds; undefined without others. */
  readonly median: number | undefined
}

/** What a round took, at its end. */
export interface PacedRound extends Stretch {
  readonly round: number
  /** Milliseconds of its training alone. */
  readonly trainMs: number
}

/** Behind by as many rounds a site shortens its phases; one more or less is the moment at which it is asked. */
const BEHIND = 2
/** By so much shorter than the others' is a round to be, for each round that the site is behind. */
const HASTE = 0.25
/** As long as the others stand still, or nobody is behind. */
const GROWTH = 2

/**
 * Which part of a round's steps this site trains: all, unless it cannot keep up with the median of the others. Then its rounds become
 * as long as theirs, though never with less than LEAST_SHARE of the steps, so that it stays within reach and what it trains counts.
 */
export class Pace {
  #share: number
  #began: Stretch | undefined

  /** `share`: where it was before a restart. */
  constructor (share = 1) {
    this.#share = share
  }

  /** Above 0 to 1. */
  get share (): number {
    return this.#share
  }

  begin (stretch: Stretch): void {
    this.#began = stretch
  }

  end ({ at, median, round, trainMs }: PacedRound): void {
    const began = this.#began
    if (median == null || began?.median == null) {
      this.#share = 1
      return
    }
    const lag = median - round
    const theirs = median > began.median ? (at - began.at) / (median - began.median) : Infinity
    const wanted = theirs / (1 + HASTE * Math.max(0, lag))
    const fits = this.#fitting(wanted, { took: at - began.at, trainMs })
    if (lag >= BEHIND) this.#share = Math.min(this.#share, fits)
    else if (lag <= 0) this.#share = Math.max(this.#share, Math.min(fits, GROWTH * this.#share))
  }

  /** The share with which a round takes so many milliseconds; what is not training stays as it is. */
  #fitting (wantedMs: number, { took, trainMs }: { took: number, trainMs: number }): number {
    if (trainMs <= 0) return 1
    return Math.min(1, Math.max(LEAST_SHARE, this.#share * (wantedMs - (took - trainMs)) / trainMs))
  }
}
