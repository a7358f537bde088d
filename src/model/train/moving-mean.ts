/** Mean of parameters over the steps of one phase, from those that it begins with on; what is new counts 1 − `ema` of it. */
export class MovingMean {
  readonly #ema: number
  readonly #values: Float32Array
  #step = 1

  constructor (start: Float32Array, ema: number) {
    this.#values = start.slice()
    this.#ema = ema
  }

  /** As step `step`, from 1, finds it, before which the parameters are `now`; asked again for the same step it says the same. */
  before (step: number, now: Float32Array): Float32Array {
    if (step > this.#step) now.forEach((value, i) => { this.#values[i] = this.#ema * this.#values[i]! + (1 - this.#ema) * value })
    this.#step = step
    return this.#values
  }
}
