import type { NamedTensor } from './safetensors.ts'

/**
 * The set Λ: experts and their optimiser state, which never leave the trainer process. No codec of adapter/ or protocol/
 * accepts it, and logging, JSON or structured cloning show nothing but a count.
 */
export class PrivateSet {
  readonly #tensors: ReadonlyMap<string, NamedTensor>

  constructor (tensors: ReadonlyMap<string, NamedTensor>) {
    this.#tensors = new Map(tensors)
  }

  /** For the learner and the local private store alone: never hand the result to anything that writes to a socket or a log. */
  reveal (): ReadonlyMap<string, NamedTensor> {
    return this.#tensors
  }

  toJSON (): { privateTensors: number } {
    return { privateTensors: this.#tensors.size }
  }

  [Symbol.for('nodejs.util.inspect.custom')] (): string {
    return `PrivateSet(${this.#tensors.size} tensors)`
  }
}
