import { addScaled } from './arithmetic.ts'

/**
 * x. Whoever streams it borrows it and needs no copy; who changes it meanwhile, as training that lands does, changes a copy, and what
 * was borrowed stays as it is.
 */
export class Vector {
  #values: Float32Array
  #borrowers = 0
  #squares: number | undefined

  /** Copies. */
  constructor (values: Float32Array) {
    this.#values = values.slice()
  }

  /** Live: read it, and do not keep it. */
  get values (): Float32Array {
    return this.#values
  }

  /** x as it is now, for as long as it is not given back; it need never be. */
  borrow (): Float32Array {
    this.#borrowers++
    return this.#values
  }

  /** Nobody reads what was borrowed any more. */
  giveBack (values: Float32Array): void {
    if (values === this.#values) this.#borrowers--
  }

  /** x stays as it is until `work` has ended. */
  async hold<T> (work: () => Promise<T>): Promise<T> {
    const values = this.borrow()
    try {
      return await work()
    } finally {
      this.giveBack(values)
    }
  }

  /** Σ x² as sumOfSquares has it, where the last change told. */
  get squares (): number | undefined {
    return this.#squares
  }

  /** x ← x + factor · difference. */
  add (factor: number, difference: Float32Array): void {
    this.#squares = addScaled(this.change(), factor, difference)
  }

  /** To be written at once. */
  change (): Float32Array {
    this.#squares = undefined
    if (this.#borrowers > 0) {
      this.#values = this.#values.slice()
      this.#borrowers = 0
    }
    return this.#values
  }
}
