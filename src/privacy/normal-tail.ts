/** Below it a series converges quickly, above it the continued fraction does. */
const SPLIT = 2
const TERMS = 300
const LOG_ROOT_2_PI = 0.5 * Math.log(2 * Math.PI)

/**
 * ln Φ(−x), the logarithm of the upper tail of the standard normal distribution, to about 14 digits for any x: in float64 the tail
 * itself is 0 beyond 38. (The npm libraries that have it bring 139 packages, or lose the tail to cancellation.)
 */
export function logTail (x: number): number {
  if (x < -SPLIT) return Math.log1p(-Math.exp(logTail(-x)))
  const logDensity = -x * x / 2 - LOG_ROOT_2_PI
  return x < SPLIT ? Math.log(0.5 - Math.exp(logDensity) * series(x)) : logDensity - Math.log(fraction(x))
}

/** (Φ(x) − ½)/φ(x) = x + x³/3 + x⁵/(3·5) + … */
function series (x: number): number {
  let [sum, term] = [x, x]
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(sum) && n < TERMS; n += 2) {
    term *= x * x / n
    sum += term
  }
  return sum
}

/** φ(x)/Φ(−x) = x + 1/(x + 2/(x + 3/(x + …))) */
function fraction (x: number): number {
  let rest = x
  for (let n = TERMS; n > 0; n--) rest = x + n / rest
  return rest
}
