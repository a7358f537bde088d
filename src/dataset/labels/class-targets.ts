import { addShares } from '../transforms/shares.ts'
import type { Fitted } from '../types.ts'
import { UNKNOWN, type LabelMap } from './label-map.ts'

export interface ClassTargets {
  /** Share of each class among what is known of a cell, [B, C, L, L]. */
  readonly targets: Float32Array
  /** Share of a cell that is known, the same shape: 0 for a class that the slice does not annotate. */
  readonly known: Float32Array
}

/**
 * What several classes, or a class with unknown places, are trained for; cells of L × L, L a divisor of the side. What lies beyond an
 * image with a whole mask is known to be background.
 */
export function toClassTargets (fitted: readonly Fitted[], lowResSide: number, { members }: LabelMap): ClassTargets {
  const cells = lowResSide * lowResSide
  const size = members.length * cells
  const targets = new Float32Array(fitted.length * size)
  const known = new Float32Array(fitted.length * size)
  fitted.forEach((each, b) => {
    if (each.mask.every((code) => code === UNKNOWN)) return
    const { shares, there: knownIn } = each.kind == null ? wholeCells(each, lowResSide) : weakCells(each, lowResSide)
    members.forEach((member, c) => {
      if (each.lacks?.includes(c) === true) return
      const at = b * size + c * cells
      for (let cell = 0; cell < cells; cell++) {
        const there = knownIn(cell)
        known[at + cell] = there
        let share = 0
        for (const [code, of] of shares) if (member[code] === 1 && code !== UNKNOWN) share += of[cell]!
        targets[at + cell] = there === 0 ? 0 : share / there
      }
    })
  })
  return { targets, known }
}

/** Shares of codes but background in every cell, and how much of it is known. */
interface Cells { readonly shares: ReadonlyMap<number, Float64Array>, readonly there: (cell: number) => number }

function wholeCells (fitted: Fitted, lowResSide: number): Cells {
  const shares = cellShares(fitted, lowResSide)
  return { shares, there: (cell) => 1 - (shares.get(UNKNOWN)?.[cell] ?? 0) }
}

/**
 * A cell of which anything is marked is known by that alone, and whole: strokes are thin. Else it is known as far as it lies in the image
 * and outside all boxes; beyond the image nothing is.
 */
function weakCells (fitted: Fitted, lowResSide: number): Cells {
  const { side, fittedWidth, mask, marks } = fitted
  const factor = side / lowResSide
  const shares = new Map<number, Float64Array>()
  const [marked, known] = [new Float64Array(lowResSide ** 2), new Float64Array(lowResSide ** 2)]
  mask.forEach((code, i) => {
    if (code === UNKNOWN) return
    const cell = Math.floor(Math.floor(i / fittedWidth) / factor) * lowResSide + Math.floor(i % fittedWidth / factor)
    known[cell]! += 1 / factor ** 2
    const mark = marks?.[i] ?? UNKNOWN
    if (mark === UNKNOWN) return
    marked[cell]!++
    if (mark === 0) return
    let of = shares.get(mark)
    if (of == null) shares.set(mark, of = new Float64Array(lowResSide ** 2))
    of[cell]!++
  })
  for (const of of shares.values()) of.forEach((count, cell) => { if (marked[cell]! > 0) of[cell] = count / marked[cell]! })
  return { shares, there: (cell) => marked[cell]! > 0 ? 1 : known[cell]! }
}

/** By code but background: its share of every cell. */
function cellShares (fitted: Fitted, lowResSide: number): Map<number, Float64Array> {
  const shares = new Map<number, Float64Array>()
  addShares(fitted, lowResSide, (code, cell, share) => {
    let of = shares.get(code)
    if (of == null) shares.set(code, of = new Float64Array(lowResSide * lowResSide))
    of[cell]! += share
  })
  return shares
}
