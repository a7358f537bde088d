/** A mean that follows what is trained, from step to step, and begins as it. */
export class MovingMean {
  readonly #values: Float32Array
  readonly #stays: number
  #step = 1

  /** `stays`: what of it stays in each step, 0 to 1. */
  constructor (start: Float32Array, stays: number) {
    this.#values = start.slice()
    this.#stays = stays
  }

  /** As it is in step `step`, from 1, before which the parameters are `now`; asked again for the same step it says the same. */
  at (step: number, now: Float32Array): Float32Array {
    const [values, stays] = [this.#values, this.#stays]
    if (step > this.#step) now.forEach((value, i) => { values[i] = stays * values[i]! + (1 - stays) * value })
    this.#step = step
    return values
  }
}
