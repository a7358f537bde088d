import { SLICE } from './release.ts'

/** Numbers in a sketch. A squared norm estimated from it has a relative standard deviation of √(2/64) ≈ 0.18, a norm half of that. */
export const SKETCH_SIZE = 64

/** The same at every site of a federation: sketches are comparable only under one seed. */
export function sketchSeed (federationId: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < federationId.length; i++) hash = Math.imul(hash ^ federationId.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/**
 * Count sketch of x: every index adds ± its value to one of 64 sums, index and sign drawn by a hash. It is linear, so the sketch of a
 * mean is the mean of the sketches. Yields after every 65 536 numbers; float64 sums, rounded to float32 at the end.
 */
export function * sketchSlices (values: Float32Array, seed: number): Generator<void, Float32Array> {
  const sums = new Float64Array(SKETCH_SIZE)
  for (let begin = 0; begin < values.length; begin += SLICE) {
    addToSketch(sums, values.subarray(begin, begin + SLICE), seed, begin)
    yield
  }
  return Float32Array.from(sums)
}

/** The same of a part, whose first number is number `begin` of the whole, added to the sums. */
export function addToSketch (sums: Float64Array, part: Float32Array, seed: number, begin: number): void {
  for (let i = 0; i < part.length; i++) {
    const hash = mix((begin + i) ^ seed)
    const bucket = hash & (SKETCH_SIZE - 1)
    sums[bucket] = sums[bucket]! + (hash < 0 ? -part[i]! : part[i]!)
  }
}

/** MurmurHash3's 32-bit finaliser: every output bit depends on every input bit. */
function mix (value: number): number {
  let hash = value
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35)
  return hash ^ hash >>> 16
}
