import type { PartnerRule } from '../gossip-aggregation/partner-choice.ts'

/** Below this share of the start's variance float32 rounding is what is left. */
const ROUNDING = 1e-11

/**
 * Factor of the variance per cycle when every site initiates once, nothing is lost and all masses are equal: random push–pull 1/(2√e),
 * pairs that cover all sites twice 1/4 (Jelasity, Montresor, Babaoglu 2005). Null where no theory is known.
 */
export function theoryRate (partner: PartnerRule): number | null {
  switch (partner) {
    case 'random': return 1 / (2 * Math.sqrt(Math.E))
    case 'exponential': return 1 / 4
    case 'farthest': return null
  }
}

/** Least-squares slope of log variance over cycles, down to rounding, as a factor per cycle; null with fewer than two usable points. */
export function contractionRate (variances: readonly number[]): number | null {
  const first = variances[0] ?? 0
  const end = variances.findIndex((variance) => variance <= ROUNDING * first)
  const logs = (end < 0 ? variances : variances.slice(0, end)).map(Math.log)
  if (logs.length < 2) return null
  const middle = (logs.length - 1) / 2
  let cross = 0
  let squares = 0
  logs.forEach((log, index) => {
    cross += (index - middle) * log
    squares += (index - middle) ** 2
  })
  return Math.exp(cross / squares)
}
