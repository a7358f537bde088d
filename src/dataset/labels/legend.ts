import type { LabelMap } from './label-map.ts'

/** One class in masks that hold a federation's values; a value may belong to several. */
export interface LegendEntry {
  readonly name: string
  readonly values: readonly number[]
  /** pixels or voxels */
  readonly foreground: number
}

/** The federation's values of a mask of codes. */
export function toValues (codes: Uint8Array, { values }: LabelMap): Uint8Array {
  return codes.map((code) => values[code] ?? 0)
}

/** What the values in masks mean, and how much of each there is. */
export function legendOf (masks: readonly Uint8Array[], { names, values, members }: LabelMap): LegendEntry[] {
  const counts = new Map<number, number>()
  for (const mask of masks) for (const value of mask) counts.set(value, (counts.get(value) ?? 0) + 1)
  return names.map((name, c) => {
    const own = values.filter((_, code) => members[c]![code] === 1)
    return { name, values: own, foreground: own.reduce((sum, value) => sum + (counts.get(value) ?? 0), 0) }
  })
}
