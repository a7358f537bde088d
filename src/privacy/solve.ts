const PRECISION = 1e-10

/**
 * The smallest x in (0, ∞) for which `holds`, which once true stays true: from above, so that it holds for the answer itself. Infinity
 * where it holds nowhere.
 */
export function smallest (holds: (x: number) => boolean): number {
  let high = 1
  while (!holds(high)) if ((high *= 2) > Number.MAX_SAFE_INTEGER) return Infinity
  let low = 0
  while (high - low > PRECISION * high && high > Number.EPSILON) {
    const middle = (low + high) / 2
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}
