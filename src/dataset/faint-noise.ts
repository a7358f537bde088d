import { remasked } from './kept-slice.ts'
import type { LabelBook } from './labels/label-book.ts'
import { NEARLY } from './masks/labels.ts'
import type { PairSlices } from './read-pair.ts'

/** Values this near to black or white. */
const NEAR = 7
const WHITE = 255

/**
 * Where masks of a folder were nearly black and white, others may hold so little of the same noise that alone they look like labels:
 * they are cut at the half too.
 */
export function cutFaintNoise (pairs: readonly PairSlices[], book: LabelBook): PairSlices[] {
  if (!pairs.some(({ notes }) => notes.includes(NEARLY))) return [...pairs]
  return pairs.map((pair) => {
    const [slice] = pair.slices
    if (pair.volume != null || slice == null || !isFaint(book.valuesIn(slice.mask))) return pair
    const mask = book.recode(slice.mask, (value) => value > WHITE / 2 ? WHITE : 0)
    return { ...pair, slices: [remasked(slice, mask)], notes: [...pair.notes, NEARLY] }
  })
}

function isFaint (values: readonly number[]): boolean {
  const between = values.filter((value) => value > 0 && value < WHITE)
  return values.includes(WHITE) && between.length > 0 && between.every((value) => value <= NEAR || value >= WHITE - NEAR)
}
