/** x. Whoever streams it borrows it and needs no copy; who changes it meanwhile, as training that lands does, changes a copy, and what was borrowed stays as it is. */
export class Vector {
  #values: Float32Array
  #borrowers = 0

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

  /** To be written at once. */
  change (): Float32Array {
    if (this.#borrowers > 0) {
      this.#values = this.#values.slice()
      this.#borrowers = 0
    }
    return this.#values
  }
}
