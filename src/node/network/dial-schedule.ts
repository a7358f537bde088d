import { doublingMs, type Doubling } from '../../common/doubling.ts'

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

  failed (now: number): void {
    this.#dueAt = now + doublingMs(this.#limits, this.#failures++) * (0.75 + 0.5 * this.#random())
  }

  succeeded (): void {
    this.#failures = 0
    this.#dueAt = 0
  }
}
