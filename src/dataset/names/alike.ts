import type { Slice } from '../types.ts'

/** Rows and columns of a picture made small enough to compare. */
const SIDE = 16
/** Rows and columns that are looked at. */
const MOST_SAMPLES = 64
/** Fewer pictures tell nothing. */
const LEAST = 6
/** Neighbours of one series differ by a small part of what pictures far apart do; those of different patients as much as any. */
const NEIGHBOUR_SHARE = 0.35

/**
 * Whether pictures that count as different subjects look like neighbouring slices of one: in the order of their names each is far more
 * like the next than like one half the set away.
 */
export function looksLikeOneSeries (slices: readonly Slice[]): boolean {
  if (slices.length < LEAST) return false
  const sorted = [...slices].sort((a, b) => a.id < b.id ? -1 : 1)
  const small = sorted.map((slice) => slice.look ?? lookOf(slice))
  const half = Math.floor(small.length / 2)
  const near: number[] = []
  const far: number[] = []
  for (let i = 0; i + 1 < small.length; i++) {
    if (sorted[i]!.subject !== sorted[i + 1]!.subject) near.push(difference(small[i]!, small[i + 1]!))
    far.push(difference(small[i]!, small[(i + half) % small.length]!))
  }
  return near.length >= LEAST - 1 && median(near) < NEIGHBOUR_SHARE * median(far)
}

/** Mean brightness of a picture's first channel in each cell of a small grid, 0..255. */
export function lookOf ({ height, width, channels, image }: Slice): Float64Array {
  const sums = new Float64Array(SIDE * SIDE)
  const counts = new Float64Array(SIDE * SIDE)
  const [down, right] = [height, width].map((side) => Math.max(1, Math.floor(side / MOST_SAMPLES)))
  for (let y = 0; y < height; y += down!) {
    const row = Math.floor(y * SIDE / height) * SIDE
    for (let x = 0; x < width; x += right!) {
      const cell = row + Math.floor(x * SIDE / width)
      sums[cell]! += image[(y * width + x) * channels]!
      counts[cell]!++
    }
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell]!))
}

function difference (a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, cell) => sum + Math.abs(value - b[cell]!), 0)
}

function median (values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
