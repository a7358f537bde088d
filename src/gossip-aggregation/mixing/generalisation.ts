import { median } from '../../common/median.ts'
import { LEAST_FACTOR, MOST_FACTOR } from '../landing.ts'

/** Part of each site in what all learn, by site; they sum to 1. */
export type SiteParts = Readonly<Record<string, number>>

/** Of the sites that there are; a new one begins with an equal part. */
export function partsOf (sites: readonly string[], before: SiteParts = {}): SiteParts {
  return summedToOne(Object.fromEntries(sites.map((site) => [site, before[site] ?? 1 / sites.length])))
}

/**
 * The same after a round: a larger gap makes a larger part. `step` is that of this round, in parts of an equal part. A site whose gap is
 * not known keeps its part, and where there are not two to be compared, all do (docs/spec/mixing.md#generalisation).
 */
export function refinedParts (parts: SiteParts, gaps: Readonly<Record<string, number | undefined>>, step: number): SiteParts {
  const sites = Object.keys(parts)
  const known = sites.flatMap((site) => gaps[site] ?? [])
  const largest = Math.max(...known.map(Math.abs))
  if (known.length < 2 || largest === 0) return parts
  const move = (site: string): number => step / sites.length * (gaps[site] ?? 0) / largest
  return summedToOne(Object.fromEntries(sites.map((site) => [site, Math.min(1, Math.max(0, parts[site]! + move(site)))])))
}

/**
 * By how much a site scales what it trained, so that it counts for its part where masses alone would give it w/W: a = λ·W/w, clamped.
 * Sites of which no mass is known count as the median of the others.
 */
export function partFactor (part: number, own: number, others: readonly (number | undefined)[]): number {
  const middle = median([own, ...others.filter((each) => each != null)])
  const all = others.reduce<number>((sum, each) => sum + (each ?? middle), own)
  const factor = part * all / own
  return Number.isFinite(factor) ? Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, factor)) : 1
}

function summedToOne (parts: SiteParts): SiteParts {
  const sum = Object.values(parts).reduce((total, each) => total + each, 0)
  return sum === 1 ? parts : Object.fromEntries(Object.entries(parts).map(([site, part]) => [site, part / sum]))
}
