import { Vector } from '../vectors/vector.ts'

const HALF = 2 ** 31 - 1

/** Most members of a group: those of two that are left over join one. */
export function mostMembers ({ size }: { readonly size: number }): number {
  return 2 * size - 1
}

/** Whole parts of the grid in 1, so that no sum of a group is beyond 31 bits. */
export function gridScale ({ size, bound }: { readonly size: number, readonly bound: number }, maxMass: number): number {
  return Math.floor(HALF / (mostMembers({ size }) * maxMass * bound))
}

/**
 * u: what a site trained that nobody else may see by itself. It is no vector of numbers to any way out: the release gate does not take
 * it, and logging or JSON show nothing but a count.
 */
export class SealedDelta {
  readonly #u: Vector

  /** Copies. */
  constructor (values: Float32Array) {
    this.#u = new Vector(values)
  }

  /** For training, the group and the home folder alone; live, and not to be changed. */
  reveal (): Float32Array {
    return this.#u.values
  }

  /** To be written at once. */
  change (): Float32Array {
    return this.#u.change()
  }

  add (factor: number, delta: Float32Array): void {
    this.#u.add(factor, delta)
  }

  /** Stays as it is until `work` has ended. */
  async hold<T> (work: () => Promise<T>): Promise<T> {
    return await this.#u.hold(work)
  }

  /** In whole parts of the grid; what is beyond ± bound is cut off. */
  codes (scale: number, bound: number): Int32Array {
    return Int32Array.from(this.#u.values, (value) => Math.round(scale * Math.max(-bound, Math.min(bound, value))))
  }

  toJSON (): { sealedNumbers: number } {
    return { sealedNumbers: this.#u.values.length }
  }

  [Symbol.for('nodejs.util.inspect.custom')] (): string {
    return `SealedDelta(${this.#u.values.length} numbers)`
  }
}
