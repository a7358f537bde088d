import { normalNumbers } from '../common/normal-numbers.ts'
import { seededRandom } from '../common/random.ts'
import { drained } from '../common/slices.ts'
import { releaseFacts, type Facts } from '../gossip-aggregation/facts.ts'
import { clusterFacts, MOST_CENTRES } from '../gossip-aggregation/mixing/cluster-facts.ts'
import { clustersOf, MOST_AFFINITY, type Clusters } from '../gossip-aggregation/mixing/clusters.ts'
import { STREAM, type SimulationOptions } from './options.ts'

const SETTINGS = { count: 'auto', neighbours: 3, projection: 16 } as const
/** How far kinds, clusters of patients within one, and sites of a kind lie apart, in each number of a centre. */
const APART = { kinds: 0.12, patients: 0.04, sites: 0.02 } as const

/** What virtual sites tell of patients that they do not have, and what each makes of it: the same, by the code that real ones run. */
export interface VirtualFacts {
  readonly clusters: Clusters
  /** What each says. */
  readonly told: ReadonlyMap<string, Facts>
  /** As one of them announces it. */
  readonly announced: Float32Array
  /** Ids of each cluster's sites. */
  readonly found: readonly (readonly string[])[]
  /** How readily one asks another. */
  readonly weight: (one: string, other: string) => number
}

/** Of sites whose kinds take turns. */
export function virtualFacts (
  ids: readonly string[],
  { clusters: kinds, seed }: Pick<SimulationOptions, 'clusters' | 'seed'>
): VirtualFacts {
  const random = seededRandom(seed, STREAM.facts)
  const normal = normalNumbers(random)
  const draw = (size: number): number[] => Array.from({ length: SETTINGS.projection }, () => size * normal())
  const middles = Array.from({ length: kinds }, () => {
    const middle = draw(APART.kinds)
    return Array.from({ length: MOST_CENTRES }, () => sum(middle, draw(APART.patients)))
  })
  const facts = new Map(ids.map((id, index): [string, Facts] => {
    const centres = Float32Array.from(middles[index % kinds]!.flatMap((centre) => withinUnit(sum(centre, draw(APART.sites)))))
    const parts = Array.from({ length: MOST_CENTRES }, () => 0.5 + random())
    const total = parts.reduce((all, each) => all + each, 0)
    return [id, {
      centres,
      shares: Float32Array.from(parts, (each) => each / total),
      graph: Float32Array.from({ length: MOST_CENTRES ** 2 }, () => 0.05 * random())
    }]
  }))
  const clusters = drained(clustersOf(facts, SETTINGS))
  return {
    clusters,
    told: facts,
    announced: releaseFacts(clusterFacts(SETTINGS), facts.get(ids[0]!)!)!.values,
    found: [...new Set(ids.map((id) => clusters.membersOf(id)!))],
    weight: (one, other) => clusters.affinity(one, other) / MOST_AFFINITY
  }
}

function sum (one: readonly number[], other: readonly number[]): number[] {
  return one.map((each, i) => each + other[i]!)
}

function withinUnit (point: readonly number[]): number[] {
  const norm = Math.hypot(...point)
  return norm > 1 ? point.map((each) => each / norm) : [...point]
}
