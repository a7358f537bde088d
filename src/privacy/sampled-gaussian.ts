const MOST_ORDER = 256
/** Above these, tenths of an order gain nothing. */
const TENTHS = 110

/** Orders of Rényi divergence: tenths up to 11, then whole ones. */
export const ORDERS: readonly number[] = [
  ...Array.from({ length: TENTHS - 11 }, (_, i) => (i + 11) / 10),
  ...Array.from({ length: MOST_ORDER - TENTHS / 10 + 1 }, (_, i) => i + TENTHS / 10)
]

/** Steps of one kind: each patient is in a step with probability `rate`, and its noise is `noise` times the sensitivity. */
export interface SampledSteps {
  readonly rate: number
  readonly noise: number
  readonly steps: number
}

/** Rényi divergence of these steps at each of `ORDERS` (Mironov, Talwar and Zhang 2019). */
export function sampledDivergence ({ rate, noise, steps }: SampledSteps): number[] {
  if (steps === 0) return ORDERS.map(() => 0)
  const one = oneStep(rate, noise)
  return one.map((each) => steps * each)
}

/** The smallest ε for which what diverges so is (ε, δ)-private, and the order that shows it; converted as Opacus does. */
export function sampledEpsilon (divergence: readonly number[], delta: number): { readonly epsilon: number, readonly order: number } {
  let best = { epsilon: Infinity, order: ORDERS[0]! }
  for (const [i, order] of ORDERS.entries()) {
    if (divergence[i] === 0) return { epsilon: 0, order }
    const epsilon = divergence[i]! - (Math.log(delta) + Math.log(order)) / (order - 1) + Math.log1p(-1 / order)
    if (epsilon < best.epsilon) best = { epsilon, order }
  }
  return { ...best, epsilon: Math.max(0, best.epsilon) }
}

let known: { readonly rate: number, readonly noise: number, readonly divergence: readonly number[] } | undefined

/** Of the kind asked for last it is remembered: a federation has one. */
function oneStep (rate: number, noise: number): readonly number[] {
  if (known?.rate === rate && known.noise === noise) return known.divergence
  const divergence = divergences(rate, noise)
  known = { rate, noise, divergence }
  return divergence
}

/** ln E[(1 − q + q·e^((2z − 1)/2σ²))^α]/(α − 1) over z ~ N(0, σ²). */
function divergences (rate: number, noise: number): number[] {
  if (rate === 1) return ORDERS.map((order) => order / (2 * noise ** 2))
  const moment = logMoments(rate, noise)
  return ORDERS.map((order) => (Number.isInteger(order) ? logMomentOfWhole(order, rate, noise) : moment(order)) / (order - 1))
}

const logFactorials = [0]
for (let n = 1; n <= MOST_ORDER; n++) logFactorials.push(logFactorials[n - 1]! + Math.log(n))

/** Σ_k C(α,k)·(1 − q)^(α−k)·q^k·e^((k² − k)/2σ²). */
function logMomentOfWhole (order: number, rate: number, noise: number): number {
  return logSum(Float64Array.from({ length: order + 1 }, (_, k) =>
    logFactorials[order]! - logFactorials[k]! - logFactorials[order - k]! +
    (order - k) * Math.log1p(-rate) + k * Math.log(rate) + (k * k - k) / (2 * noise ** 2)))
}

const DEVIATIONS = 12
/** Of the rule, per deviation. */
const POINTS = 32

/** The integral by the trapezoid rule, which is exact to rounding here; the usual series does not converge at rates like 0.1. */
function logMoments (rate: number, noise: number): (order: number) => number {
  const width = noise / POINTS
  const from = -DEVIATIONS * noise
  const until = TENTHS / 10 + DEVIATIONS * noise
  const places = Float64Array.from({ length: Math.ceil((until - from) / width) }, (_, i) => from + i * width)
  const ratios = places.map((z) => logSum([Math.log1p(-rate), Math.log(rate) + (2 * z - 1) / (2 * noise ** 2)]))
  const densities = places.map((z) => -(z ** 2) / (2 * noise ** 2))
  const scale = Math.log(width / (noise * Math.sqrt(2 * Math.PI)))
  return (order) => scale + logSum(ratios.map((ratio, i) => order * ratio + densities[i]!))
}

/** ln Σ e^term. */
function logSum (terms: ArrayLike<number>): number {
  let most = -Infinity
  for (let i = 0; i < terms.length; i++) most = Math.max(most, terms[i]!)
  let sum = 0
  for (let i = 0; i < terms.length; i++) sum += Math.exp(terms[i]! - most)
  return most + Math.log(sum)
}
