import { doublingMs, type Doubling } from '../../common/doubling.ts'

/** Milliseconds between two dials on average, where many are absent. */
const APART_MS = 1_000

/**
 * The longest pause between two dials of one peer, milliseconds: a minute, so that a few are back within two minutes of their line's
 * return, and longer only where so many are absent that they would be dialled all the time.
 */
export function longestPauseMs (absent: number, { leastMs, mostMs }: { readonly leastMs: number, readonly mostMs: number }): number {
  return Math.min(mostMs, Math.max(leastMs, absent * APART_MS))
}

/** Doubling pauses with ± 25 % jitter, so that sites that lost the same peer do not all come back at once. */
export class DialSchedule {
  readonly #limits: Doubling
  readonly #random: () => number
  #failures = 0
  #dueAt = 0

  /** `random` yields numbers in [0, 1). */
  constructor (limits: Doubling, random: () => number = Math.random) {
    this.#limits = limits
    this.#random = random
  }

  get failures (): number {
    return this.#failures
  }

  isDue (now: number): boolean {
    return now >= this.#dueAt
  }

  /** `lastMs`: the longest pause for now, milliseconds. */
  failed (now: number, lastMs = this.#limits.lastMs): void {
    this.#dueAt = now + doublingMs({ ...this.#limits, lastMs }, this.#failures++) * (0.75 + 0.5 * this.#random())
  }

  succeeded (): void {
    this.#failures = 0
    this.#dueAt = 0
  }
}
