import type { Fitted } from '../types.ts'

const WHOLE = 255

/** What a method made up for a batch, by cells of L × L, [B,C,L,L]; nothing is believed of images without. */
export interface PseudoTargets {
  /** Mean probability of a class in what of a cell lies in the image. */
  readonly targets: Float32Array
  /** How far that is believed, 0..1; what of a cell lies beyond the image counts as 0. */
  readonly certainty: Float32Array
}

export function toPseudoTargets (fitted: readonly Fitted[], lowResSide: number, classes: number): PseudoTargets {
  const cells = lowResSide ** 2
  const [targets, certainty] = [new Float32Array(fitted.length * classes * cells), new Float32Array(fitted.length * classes * cells)]
  fitted.forEach((each, b) => {
    const inside = each.pseudo == null ? undefined : cellsOf(each, lowResSide)
    each.pseudo?.forEach(({ shares, certainty: believed }, c) => {
      const from = (b * classes + c) * cells
      inside!.at.forEach((cell, pixel) => {
        targets[from + cell]! += shares[pixel]! / WHOLE / inside!.pixels[cell]!
        certainty[from + cell]! += believed[pixel]! / WHOLE * lowResSide ** 2 / each.side ** 2
      })
    })
  })
  return { targets, certainty }
}

/** By pixel of the image its cell, and by cell its pixels. */
export function cellsOf (
  { side, fittedHeight, fittedWidth }: Pick<Fitted, 'side' | 'fittedHeight' | 'fittedWidth'>,
  lowResSide: number
): { readonly at: Uint32Array, readonly pixels: Uint32Array } {
  const factor = side / lowResSide
  const at = Uint32Array.from({ length: fittedHeight * fittedWidth }, (_, i) =>
    Math.floor(Math.floor(i / fittedWidth) / factor) * lowResSide + Math.floor(i % fittedWidth / factor))
  const pixels = new Uint32Array(lowResSide ** 2)
  for (const cell of at) pixels[cell]!++
  return { at, pixels }
}
