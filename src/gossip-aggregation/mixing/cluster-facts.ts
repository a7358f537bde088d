import type { FactSpec } from '../facts.ts'

/** Clusters of patients that a site tells of, at most. */
export const MOST_CENTRES = 4

/** Facts of clusters: centres [4, projection] in the unit ball, shares [4] of the site's patients, mean weights between them [4,4]. */
export function clusterFacts ({ projection }: { readonly projection: number }): readonly FactSpec[] {
  return [
    { name: 'centres', length: MOST_CENTRES * projection, least: -1, most: 1 },
    { name: 'shares', length: MOST_CENTRES, least: 0, most: 1 },
    { name: 'graph', length: MOST_CENTRES ** 2, least: 0, most: 1 }
  ]
}
