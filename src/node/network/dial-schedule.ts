export interface DialLimits {
  readonly firstMs: number
  readonly lastMs: number
}

/** Doubling pauses with ± 25 % jitter, so that sites that lost the same peer do not all come back at once. */
export class DialSchedule {
  readonly #limits: DialLimits
  readonly #random: () => number
  #failures = 0
  #dueAt = 0

  /** `random` yields numbers in [0, 1). */
  constructor (limits: DialLimits, random: () => number = Math.random) {
    this.#limits = limits
    this.#random = random
  }

  get failures (): number {
    return this.#failures
  }

  isDue (now: number): boolean {
    return now >= this.#dueAt
  }

  failed (now: number): void {
    const pause = Math.min(this.#limits.firstMs * 2 ** this.#failures, this.#limits.lastMs)
    this.#failures++
    this.#dueAt = now + pause * (0.75 + 0.5 * this.#random())
  }

  succeeded (): void {
    this.#failures = 0
    this.#dueAt = 0
  }
}
