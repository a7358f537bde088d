type Rows = readonly Float64Array[]

/**
 * Clustering with adaptive neighbours (Nie, Wang and Huang, KDD 2014): to each of n points weights of the `k` others that are nearest,
 * by squared distances d [n,n], Infinity where two may not be neighbours. With the point's d sorted, d1 ≤ … ≤ d(k+1),
 *
 *     a_ij = max(0, d(k+1) − d_ij) / (k·d(k+1) − d1 − … − dk)
 *
 * Each row [n] sums to 1, or to 0 where a point may have no neighbour. Of fewer others than k + 1, all but the farthest are neighbours;
 * points all as far away weigh alike.
 */
export function adaptiveNeighbours (distances: Rows, k: number): Float64Array[] {
  return distances.map((row, own) => {
    const others = [...row.keys()].filter((j) => j !== own && row[j]! < Infinity).sort((a, b) => row[a]! - row[b]! || a - b)
    const near = others.slice(0, Math.max(1, Math.min(k, others.length - 1)))
    const bound = row[others[near.length] ?? -1] ?? Infinity
    const sum = near.reduce((total, j) => total + bound - row[j]!, 0)
    const weights = new Float64Array(row.length)
    for (const j of near) weights[j] = sum > 0 && sum < Infinity ? (bound - row[j]!) / sum : 1 / near.length
    return weights
  })
}

/** (A + Aᵀ) / 2. */
export function symmetric (rows: Rows): Float64Array[] {
  return rows.map((row, i) => row.map((value, j) => (value + rows[j]![i]!) / 2))
}

/** Squared Euclidean distances between points, [n,n]. */
export function squaredDistances (points: readonly ArrayLike<number>[]): Float64Array[] {
  return points.map((one) => Float64Array.from(points, (other) => {
    let sum = 0
    for (let i = 0; i < one.length; i++) sum += (one[i]! - other[i]!) ** 2
    return sum
  }))
}
