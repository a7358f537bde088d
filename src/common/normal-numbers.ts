import { normalPair } from './random.ts'

/** Independent standard normal numbers, none of a pair wasted. */
export function normalNumbers (random: () => number): () => number {
  let spare: number | undefined
  return () => {
    if (spare != null) {
      const value = spare
      spare = undefined
      return value
    }
    const [first, second] = normalPair(random)
    spare = second
    return first
  }
}
