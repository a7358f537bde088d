/** Probabilities are kept in 255ths. */
export const WHOLE = 255

/** How sure a pseudo-mask is (docs/spec/weak.md#pseudo-masks); the smaller each is, the better. */
export interface Measures {
  /** Share of the cells of the image that are uncertain. */
  readonly absolute: number
  /** Uncertain cells for each cell of certain foreground. */
  readonly relative: number
  /** Mean entropy of how far it departs from the teacher's own answer. */
  readonly departure: number
}

/** Of one coin, in bits: 0 at 0 and 1, 1 at ½. */
function entropy (p: number): number {
  if (p <= 0 || p >= 1) return 0
  return -(p * Math.log2(p) + (1 - p) * Math.log2(1 - p))
}

const ENTROPIES = Float64Array.from({ length: WHOLE + 1 }, (_, share) => entropy(share / WHOLE))

/** 1 − entropy of a probability in 255ths. */
export function certaintyOf (share: number): number {
  return 1 - ENTROPIES[share]!
}

/**
 * `shares`, in 255ths, and `coarse`, from 0 to 1, by cell; cells without `pixels` of the image do not count. A cell is uncertain where
 * its entropy is above `most`.
 */
export function measuresOf (shares: Uint8Array, coarse: Float32Array, pixels: Uint32Array, most: number): Measures {
  let [cells, uncertain, foreground, departure] = [0, 0, 0, 0]
  shares.forEach((share, cell) => {
    if (pixels[cell] === 0) return
    cells++
    if (ENTROPIES[share]! > most) uncertain++
    else if (2 * share > WHOLE) foreground++
    // Beyond ½ the entropy would fall again, and the opposite of an answer be as good as the same.
    departure += entropy(Math.min(0.5, Math.abs(share / WHOLE - coarse[cell]!)))
  })
  const of = Math.max(1, cells)
  return { absolute: uncertain / of, relative: uncertain / Math.max(1, foreground), departure: departure / of }
}

interface Limits { readonly absolute: number, readonly relative: number }

export function isSelected (measures: Measures, most: Limits): boolean {
  return measures.absolute < most.absolute && measures.relative < most.relative
}
