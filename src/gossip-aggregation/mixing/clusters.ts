import { adaptiveNeighbours, squaredDistances, symmetric } from '../../common/adaptive-neighbours.ts'
import type { Facts } from '../facts.ts'
import { sketchSeed } from '../sketch.ts'
import { MOST_CENTRES } from './cluster-facts.ts'
import { clusterCount, constrainedRank } from './joint-graph.ts'

/** Sites of a joint graph, whose at most 96 nodes the network does not wait for; the others go where the nearest of its nodes are. */
const MOST_SITES = 24
/** To whom nothing draws a site, it still goes at times. */
const LEAST_AFFINITY = 0.1
/** Cosine of shares in the parts of the joint graph from which on two sites, or two groups of them, are of one cluster. */
const LEAST_LIKENESS = 0.5

/** What is looked for in the facts of all. */
interface ClusterSettings {
  readonly count: number | 'auto'
  readonly neighbours: number
  /** Numbers of a centre. */
  readonly projection: number
}

/** Which sites are alike. */
export interface Clusters {
  /** Ids of the sites of a site's cluster, itself among them, sorted; undefined of one that told nothing. */
  membersOf (id: string): readonly string[] | undefined
  /** How readily two sites exchange, 0.1 to MOST_AFFINITY: by the cosine of their shares. */
  affinity (one: string, other: string): number
}

export const MOST_AFFINITY = 1 + LEAST_AFFINITY

interface Node {
  readonly site: string
  readonly centre: Float32Array
  /** Of the site's patients; those of a site sum to 1. */
  readonly share: number
  /** To the nodes of the same site, by their places. */
  readonly weights: Float32Array
  readonly place: number
}

/**
 * What every site makes of the facts of all, the same of the same facts: a joint graph of all sites' clusters of patients, parted into
 * `count`. Sites are of one cluster whose patients lie in the same parts (docs/spec/mixing.md#clusters). Yields between its steps.
 */
export function * clustersOf (facts: ReadonlyMap<string, Facts>, settings: ClusterSettings): Generator<void, Clusters> {
  const nodes = [...facts].sort(([a], [b]) => Number(a > b) - Number(a < b)).flatMap(([site, said]) => nodesOf(site, said, settings))
  const chosen = new Set([...new Set(nodes.map(({ site }) => site))].sort((a, b) => sketchSeed(a) - sketchSeed(b)).slice(0, MOST_SITES))
  const joint = nodes.filter(({ site }) => chosen.has(site))
  const parts = yield * partsOf(joint, settings)
  const shares = new Map<string, Float64Array>()
  for (const node of nodes) {
    const own = shares.get(node.site) ?? new Float64Array(Math.max(0, ...parts) + 1)
    const part = parts[chosen.has(node.site) ? joint.indexOf(node) : nearest(node, joint)]!
    own[part] = own[part]! + node.share
    shares.set(node.site, own)
  }
  return found(shares)
}

function nodesOf (site: string, { centres, shares, graph }: Facts, { projection }: ClusterSettings): Node[] {
  if (centres == null || shares == null || graph == null) return []
  const total = shares.reduce((sum, each) => sum + each, 0)
  return [...shares.keys()].filter((place) => shares[place]! > 0).map((place) => ({
    site,
    place,
    centre: centres.subarray(place * projection, (place + 1) * projection),
    share: shares[place]! / total,
    weights: graph.subarray(place * MOST_CENTRES, (place + 1) * MOST_CENTRES)
  }))
}

function * partsOf (nodes: readonly Node[], { count, neighbours }: ClusterSettings): Generator<void, number[]> {
  if (nodes.length < 2) return nodes.map(() => 0)
  const distances = squaredDistances(nodes.map(({ centre }) => centre))
  distances.forEach((row, i) => {
    for (const j of row.keys()) if (nodes[i]!.site === nodes[j]!.site) row[j] = Infinity
  })
  const across = symmetric(adaptiveNeighbours(distances, neighbours))
  const graph = symmetric(across.map((row, i) => row.map((weight, j) => i !== j && nodes[i]!.site === nodes[j]!.site
    ? nodes[i]!.weights[nodes[j]!.place]!
    : weight)))
  yield
  const wanted = Math.min(count === 'auto' ? clusterCount(graph) : count, nodes.length)
  return wanted === 1 ? nodes.map(() => 0) : yield * constrainedRank(graph, wanted)
}

function nearest ({ centre }: Node, joint: readonly Node[]): number {
  const distances = joint.map((each) => centre.reduce((sum, value, i) => sum + (value - each.centre[i]!) ** 2, 0))
  return distances.indexOf(Math.min(...distances))
}

function found (shares: ReadonlyMap<string, Float64Array>): Clusters {
  const members = new Map(groupsOf(shares).flatMap((group) => group.sort().map((id) => [id, group] as const)))
  const likeness = (one: string, other: string): number => {
    const [a, b] = [shares.get(one), shares.get(other)]
    return a == null || b == null ? 0 : cosine(a, b)
  }
  return { membersOf: (id) => members.get(id), affinity: (one, other) => LEAST_AFFINITY + likeness(one, other) }
}

/**
 * Each site goes to the purest that is like it, the purest sites first; then groups are joined that are alike in their sums. So one site
 * that has patients of all kinds, or says so, does not join those that have one.
 */
function groupsOf (shares: ReadonlyMap<string, Float64Array>): string[][] {
  const purity = (own: Float64Array): number => Math.max(...own) / Math.sqrt(dot(own, own))
  const order = [...shares].sort(([a, one], [b, other]) => purity(other) - purity(one) || Number(a > b) - Number(a < b))
  const groups: Group[] = []
  for (const [id, own] of order) {
    const near = nearestGroup(own, groups, ({ first }) => first)
    if (near == null) groups.push({ ids: [id], first: own, sum: own.slice() })
    else take(near, { ids: [id], sum: own })
  }
  for (const [at, group] of groups.entries()) {
    const near = nearestGroup(group.sum, groups.slice(at + 1), ({ sum }) => sum)
    if (near == null) continue
    take(near, group)
    group.ids.length = 0
  }
  return groups.map(({ ids }) => ids)
}

interface Group {
  readonly ids: string[]
  /** Shares of its first site, and the sum of those of all. */
  readonly first: Float64Array
  readonly sum: Float64Array
}

function nearestGroup (own: Float64Array, groups: readonly Group[], of: (group: Group) => Float64Array): Group | undefined {
  const alike = groups.map((group) => cosine(own, of(group)))
  const most = Math.max(...alike)
  return most < LEAST_LIKENESS ? undefined : groups[alike.indexOf(most)]
}

function take (group: Group, { ids, sum }: Pick<Group, 'ids' | 'sum'>): void {
  group.ids.push(...ids)
  sum.forEach((each, i) => { group.sum[i] = group.sum[i]! + each })
}

function cosine (a: Float64Array, b: Float64Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

function dot (a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, each, i) => sum + each * b[i]!, 0)
}
