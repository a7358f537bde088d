import type { HostRecord } from '../../compute/index.ts'

/** What a round's earlier looks at images were, of which the oldest go where there is no place left; it begins anew with each round. */
export class EarlierLooks {
  readonly #size: number
  readonly #width: number
  readonly #values: Float32Array
  readonly #owners: (string | undefined)[]
  #next = 0

  /** Of so many looks, vectors of so many numbers. */
  constructor (size: number, width: number) {
    this.#size = size
    this.#width = width
    this.#values = new Float32Array(size * width)
    this.#owners = Array.from({ length: size }, () => undefined)
  }

  /** @queue, and which of it counts for looks at images with these names: those at others. */
  feeds (names: readonly string[]): HostRecord {
    const counted = Float32Array.from(names.flatMap((name) => this.#owners.map((owner) => Number(owner != null && owner !== name))))
    return {
      '@queue': { shape: [this.#size, this.#width], data: this.#values.slice() },
      '@counted': { shape: [names.length, this.#size], data: counted }
    }
  }

  /** Vectors one after the other, of images with these names. */
  add (vectors: Float32Array, names: readonly string[]): void {
    for (const [i, name] of names.entries()) {
      this.#values.set(vectors.subarray(i * this.#width, (i + 1) * this.#width), this.#next * this.#width)
      this.#owners[this.#next] = name
      this.#next = (this.#next + 1) % this.#size
    }
  }
}
