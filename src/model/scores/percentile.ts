/** Linear interpolation between the closest ranks; NaN of no values. */
export function percentile (values: readonly number[] | Float64Array, share: number): number {
  if (values.length === 0) return NaN
  const sorted = values.toSorted((a, b) => a - b)
  const position = share * (sorted.length - 1)
  const low = Math.floor(position)
  const [below, above] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!]
  return below === above ? below : below + (above - below) * (position - low)
}
