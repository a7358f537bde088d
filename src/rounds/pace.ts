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
const HASTE = 0.1
/** From one round to the next. */
const GROWTH = 2
/** Rounds that the pace is judged by: one that took long for once shortens nothing. */
const JUDGED = 8
/** Of the time that a slow site's rounds took, what the rounds that it lacks may take in the end. */
const MAKE_UP = 0.65

interface Judged {
  readonly took: number
  /** Rounds by which the others went on meanwhile. */
  readonly advanced: number
  /** Of this site's round, what was no training. */
  readonly restMs: number
  /** What its training would have taken with all steps. */
  readonly wholeMs: number
}

/**
 * Which part of a round's steps this site trains: all, unless it cannot keep up with the median of the others. Then its rounds become
 * as long as theirs, though never with less than LEAST_SHARE of the steps, so that it stays within reach and what it trains counts.
 */
export class Pace {
  #share: number
  #began: Stretch | undefined
  /** Rounds for which this site has exchanged, as the others count them. */
  #exchanged: number | undefined
  readonly #judged: Judged[] = []
  /** Of all finished rounds: milliseconds, rounds by which the others went on meanwhile, and whole rounds that this site trained. */
  readonly #sum = { tookMs: 0, passed: 0, trained: 0 }
  /** It could not keep up at some time. */
  #wasShort = false

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

  /**
   * Rounds for which this site exchanges now, one at least: a site whose rounds are longer than the others' makes up for those that it had
   * no exchanges in, but for no more than `most`.
   */
  rounds (median: number | undefined, most: number): number {
    if (median == null) return 1
    const before = this.#exchanged ?? this.#began?.median ?? median - 1
    this.#exchanged = Math.max(before + 1, median)
    return Math.min(most, this.#exchanged - before)
  }

  /**
   * What a site that had to shorten its phases lacks in the end: whole rounds, and MAKE_UP of that part of the milliseconds that its rounds
   * took.
   */
  get owed (): { readonly rounds: number, readonly ms: number } {
    const { tookMs, passed, trained } = this.#sum
    const rounds = this.#wasShort ? Math.max(0, passed - trained) : 0
    return { rounds, ms: rounds === 0 ? 0 : MAKE_UP * tookMs * rounds / passed }
  }

  /** Part of a round's steps that so many milliseconds suffice for; 0 where they do not for the least. */
  shareIn (ms: number): number {
    const wholeMs = this.#typical('wholeMs')
    const share = wholeMs <= 0 ? 1 : Math.min(1, ms / wholeMs)
    return share < LEAST_SHARE ? 0 : share
  }

  end ({ at, median, round, trainMs }: PacedRound): void {
    const began = this.#began
    if (median == null || began?.median == null) {
      this.#share = 1
      this.#judged.length = 0
      return
    }
    const took = at - began.at
    // A clock that was set back meanwhile tells nothing.
    if (took < trainMs || trainMs < 0) return
    const advanced = median - began.median
    this.#sum.tookMs += took
    this.#sum.passed += advanced
    this.#sum.trained += this.#share
    this.#judged.push({ took, advanced, restMs: took - trainMs, wholeMs: trainMs / this.#share })
    if (this.#judged.length > JUDGED) this.#judged.shift()
    const lag = median - round
    if (lag >= BEHIND) this.#share = Math.min(this.#share, this.#fitting(this.#theirs() / (1 + HASTE * lag)))
    else this.#share = Math.max(this.#share, Math.min(GROWTH * this.#share, this.#fitting(this.#theirs())))
    this.#wasShort ||= this.#share < 1
  }

  /** How long a round of the others takes; for ever while they stand still. */
  #theirs (): number {
    const sum = (what: 'took' | 'advanced'): number => this.#judged.reduce((total, each) => total + each[what], 0)
    return sum('advanced') > 0 ? sum('took') / sum('advanced') : Infinity
  }

  /** The share with which a round takes so many milliseconds; what is not training stays as it is. */
  #fitting (wantedMs: number): number {
    return this.shareIn(wantedMs - this.#typical('restMs')) || LEAST_SHARE
  }

  #typical (what: 'restMs' | 'wholeMs'): number {
    return middle(this.#judged.map((each) => each[what]))
  }
}

/** The lower one of two. */
function middle (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0
}
