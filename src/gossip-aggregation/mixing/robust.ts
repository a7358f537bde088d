import { median } from '../../common/median.ts'
import { LEAST_FACTOR, MOST_FACTOR } from '../landing.ts'

/** A site as the robust average weighs it. */
export interface Weighed {
  /** At least 0. */
  readonly mass: number
  /** What it lacks, 0 to 1. */
  readonly loss: number
}

export interface Robust {
  /** Above 0: the smaller, the more the worst site counts; without end all count by mass. */
  readonly mu: number
  /** What the factor is at least and at most. */
  readonly least: number
  readonly most: number
}

/**
 * By how much a site scales what it trained, so that all together go down μ·log Σ (w/W)·e^(f/μ), the robust mean under
 * KL divergence (docs/spec/mixing.md#robust): a = e^(f/μ) / Σ (w/W)·e^(f/μ), clamped. Sites of which nothing is known count as
 * the median of the others.
 */
export function robustFactor (own: Weighed, others: readonly (Weighed | undefined)[], { mu, least, most }: Robust): number {
  const known = [own, ...others.filter((each) => each != null)]
  const middle = { mass: median(known.map(({ mass }) => mass)), loss: median(known.map(({ loss }) => loss)) }
  const all = [own, ...others.map((each) => each ?? middle)]
  const total = all.reduce((sum, { mass }) => sum + mass, 0)
  if (!(total > 0)) return 1
  // Of an exponent too large for a number, the largest is taken off all.
  const worst = Math.max(...all.map(({ loss }) => loss))
  const mean = all.reduce((sum, { mass, loss }) => sum + mass / total * Math.exp((loss - worst) / mu), 0)
  const factor = Math.exp((own.loss - worst) / mu) / mean
  // Who has all the weight and nothing to say for it: nobody else is there to be weighed against.
  if (!Number.isFinite(factor)) return 1
  return Math.min(most, MOST_FACTOR, Math.max(least, LEAST_FACTOR, factor))
}
