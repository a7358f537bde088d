import type { PairSlices } from './read-pair.ts'
import { NEARLY } from './readers/masks/labels.ts'
import { thresholded } from './readers/masks/near-binary.ts'

/** Values this near to black or white. */
const NEAR = 7
const WHITE = 255

/**
 * Where masks of a folder were nearly black and white, others may hold so little of the same noise that alone they look like labels:
 * they are cut at the half too.
 */
export function cutFaintNoise (pairs: readonly PairSlices[]): PairSlices[] {
  if (!pairs.some(({ notes }) => notes.includes(NEARLY))) return [...pairs]
  return pairs.map((pair) => {
    const [slice] = pair.slices
    if (pair.volume != null || slice == null || !isFaint(slice.mask)) return pair
    return { ...pair, slices: [{ ...slice, mask: thresholded({ ...slice, data: slice.mask }) }], notes: [...pair.notes, NEARLY] }
  })
}

function isFaint (mask: Uint8Array): boolean {
  const values = new Set(mask)
  const between = [...values].filter((value) => value > 0 && value < WHITE)
  return values.has(WHITE) && between.length > 0 && between.every((value) => value <= NEAR || value >= WHITE - NEAR)
}
