import { createCipheriv, randomBytes } from 'node:crypto'
import { normalNumbers } from '../common/normal-numbers.ts'
import type { Random } from '../common/random.ts'

const SEED_BYTES = 32
const BLOCK = Buffer.alloc(65_536)
const BYTES = 8
const UNUSED_BITS = 11n

/**
 * Uniform numbers in [0, 1) of 53 bits that nobody can repeat: AES-256-CTR under 256 bits of the system's randomness, drawn here and kept
 * nowhere. The seeds of training are no use for this: whoever has the federation's document has them.
 */
export function secretRandom (): Random {
  const cipher = createCipheriv('aes-256-ctr', randomBytes(SEED_BYTES), Buffer.alloc(16))
  let [block, at] = [Buffer.alloc(0), 0]
  return () => {
    if (at >= block.length) [block, at] = [cipher.update(BLOCK), 0]
    const bits = block.readBigUInt64LE(at) >> UNUSED_BITS
    at += BYTES
    return Number(bits) / 2 ** 53
  }
}

/** Draws of the standard normal distribution from such numbers, in float64. */
export function secretNormal (random: Random = secretRandom()): () => number {
  return normalNumbers(random)
}
