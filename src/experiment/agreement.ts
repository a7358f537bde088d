/**
 * Mean cosine of the sites' updates of one round, over all pairs: 1 where all move alike, near 0 where each goes a way of its own, below
 * where one undoes what another did. Undefined for one site, and where one did not move.
 */
export function agreementOf (before: readonly Float32Array[], after: readonly Float32Array[]): number | undefined {
  if (after.length < 2) return undefined
  // Of unit vectors the squared length of the sum is the number of them, and twice the sum of all pairs' cosines.
  const sum = new Float64Array(after[0]!.length)
  for (const [site, values] of after.entries()) {
    const moved = Float64Array.from(values, (value, i) => value - before[site]![i]!)
    const length = Math.sqrt(moved.reduce((all, each) => all + each ** 2, 0))
    if (length === 0) return undefined
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + moved[i]! / length
  }
  const count = after.length
  return (sum.reduce((all, each) => all + each ** 2, 0) - count) / (count * (count - 1))
}
