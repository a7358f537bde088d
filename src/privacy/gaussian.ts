import { logTail } from './normal-tail.ts'
import { smallest } from './solve.ts'

/**
 * δ(ε) of the Gaussian mechanism, exactly: `mu` is sensitivity over deviation, and of several releases the root of the sum of their
 * squares (Dong, Roth and Su 2022). Φ(μ/2 − ε/μ) − e^ε·Φ(−μ/2 − ε/μ).
 */
export function gaussianDelta (mu: number, epsilon: number): number {
  if (mu === 0) return 0
  if (mu === Infinity) return 1
  const first = logTail(epsilon / mu - mu / 2)
  const second = epsilon + logTail(epsilon / mu + mu / 2)
  return Math.max(0, -Math.exp(first) * Math.expm1(second - first))
}

/** The smallest ε for which it is (ε, δ)-private. */
export function gaussianEpsilon (mu: number, delta: number): number {
  if (gaussianDelta(mu, 0) <= delta) return 0
  return smallest((epsilon) => gaussianDelta(mu, epsilon) <= delta)
}

/** μ of so many releases, each with noise of `noise` times the sensitivity. */
export function gaussianMu (noise: number, releases: number): number {
  return releases === 0 ? 0 : Math.sqrt(releases) / noise
}
