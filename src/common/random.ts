import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Uniform in [0, 1). */
export type Random = () => number

/** The random numbers that belong to a seed and, below it, to a stream: independent of what other streams drew. */
export function seededRandom (seed: number, stream = 0): Random {
  const generator = xoroshiro128plus(mix(seed, stream))
  for (let i = 0; i < 8; i++) generator.next()
  return () => (generator.next() >>> 0) / 2 ** 32
}

/** One number of a stream begins another, however many are drawn of it. */
export function branched (random: Random): Random {
  return seededRandom(Math.floor(random() * 2 ** 32))
}

/** A copy in random order (Fisher–Yates). */
export function shuffled<T> (items: readonly T[], random: Random): T[] {
  const copy = [...items]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const swap = copy[i]!
    copy[i] = copy[j]!
    copy[j] = swap
  }
  return copy
}

/** One draw of the standard normal distribution, out of two of `random`. */
export function normal (random: Random): number {
  return normalPair(random)[0]
}

/** Two independent draws of the standard normal distribution, out of two of `random` (Box and Muller 1958). */
export function normalPair (random: Random): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - random()))
  const angle = 2 * Math.PI * random()
  return [radius * Math.cos(angle), radius * Math.sin(angle)]
}

/** Neighbouring xoroshiro seeds give alike first draws: spread them over 32 bits (the mixer of MurmurHash3). */
function mix (seed: number, stream: number): number {
  let x = (Math.imul(seed, 0x9E3779B1) ^ Math.imul(stream + 1, 0x85EBCA6B)) | 0
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}
