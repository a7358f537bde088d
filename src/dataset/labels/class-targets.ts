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
 * What several classes, or a class with unknown places, are trained for; cells of L × L, L a divisor of the side. What lies beyond the
 * image is known to be background.
 */
export function toClassTargets (fitted: readonly Fitted[], lowResSide: number, { members }: LabelMap): ClassTargets {
  const cells = lowResSide * lowResSide
  const size = members.length * cells
  const targets = new Float32Array(fitted.length * size)
  const known = new Float32Array(fitted.length * size)
  fitted.forEach((each, b) => {
    if (each.mask.every((code) => code === UNKNOWN)) return
    const shares = cellShares(each, lowResSide)
    members.forEach((member, c) => {
      if (each.lacks?.includes(c) === true) return
      const at = b * size + c * cells
      for (let cell = 0; cell < cells; cell++) {
        const there = 1 - (shares.get(UNKNOWN)?.[cell] ?? 0)
        known[at + cell] = there
        let share = 0
        for (const [code, of] of shares) if (member[code] === 1 && code !== UNKNOWN) share += of[cell]!
        targets[at + cell] = there === 0 ? 0 : share / there
      }
    })
  })
  return { targets, known }
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
