import { seededRandom } from '../../../src/common/random.ts'

/** A seeded source of the few distributions that the generator draws from. */
export interface Random {
  /** 32 random bits as a signed integer. */
  bits (): number
  /** Uniform in [low, high). */
  range (low: number, high: number): number
  /** Uniform integer in low..high, both included. */
  integer (low: number, high: number): number
  chance (probability: number): boolean
  pick<T> (items: readonly T[]): T
}

/** The source that belongs to item `index` of the stream `seed`, whatever was drawn before. */
export function streamRandom (seed: number, index: number): Random {
  const unit = seededRandom(seed, index)
  return {
    bits: () => (unit() * 2 ** 32) | 0,
    range: (low, high) => low + unit() * (high - low),
    integer: (low, high) => low + Math.floor(unit() * (high - low + 1)),
    chance: (probability) => unit() < probability,
    pick: (items) => items[Math.floor(unit() * items.length)]!
  }
}
