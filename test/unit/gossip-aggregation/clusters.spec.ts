import { expect } from 'chai'
import fc from 'fast-check'
import { adaptiveNeighbours, squaredDistances, symmetric } from '../../../src/common/adaptive-neighbours.ts'
import { normal, seededRandom, shuffled } from '../../../src/common/random.ts'
import { drained } from '../../../src/common/slices.ts'
import type { Facts } from '../../../src/gossip-aggregation/facts.ts'
import { MOST_CENTRES } from '../../../src/gossip-aggregation/mixing/cluster-facts.ts'
import { clustersOf, MOST_AFFINITY, type Clusters } from '../../../src/gossip-aggregation/mixing/clusters.ts'
import { clusterCount, constrainedRank, ontoSimplex } from '../../../src/gossip-aggregation/mixing/joint-graph.ts'

const PROJECTION = 16
const SETTINGS = { count: 'auto', neighbours: 3, projection: PROJECTION } as const

/** Sites of kinds: their clusters of patients lie about the centres of their kind. */
function factsOf (kinds: readonly number[], seed: number): Map<string, Facts> {
  const random = seededRandom(seed)
  const draw = (size: number): number[] => Array.from({ length: PROJECTION }, () => size * normal(random))
  const middles = [...new Set(kinds)].map(() => ({ kind: draw(0.12), centres: Array.from({ length: MOST_CENTRES }, () => draw(0.04)) }))
  return new Map(kinds.map((kind, index) => {
    const { kind: middle, centres } = middles[kind]!
    const all = centres.flatMap((centre) => {
      const noise = draw(0.02)
      return centre.map((each, i) => middle[i]! + each + noise[i]!)
    })
    const graph = new Float32Array(MOST_CENTRES ** 2).fill(0.01)
    return [`site-${String(index).padStart(3, '0')}`, {
      centres: Float32Array.from(all), shares: Float32Array.from({ length: MOST_CENTRES }, () => 0.2 + 0.1 * random()), graph
    }]
  }))
}

function partition (clusters: Clusters, ids: readonly string[]): string[] {
  return [...new Set(ids.map((id) => clusters.membersOf(id)!.join()))]
}

describe('clusters of sites', () => {
  it('weigh adaptive neighbours as the specification has it', () => {
    const points = [0, 1, 2, 10, 11].map((each) => [each])
    const rows = adaptiveNeighbours(squaredDistances(points), 2)
    const expected = [
      [0, 0.507692, 0.492308, 0, 0], [0.5, 0, 0.5, 0, 0], [0.487805, 0.512195, 0, 0, 0], [0, 0, 0.175258, 0, 0.824742],
      [0, 0, 0.161017, 0.838983, 0]
    ]
    rows.forEach((row, i) => { row.forEach((value, j) => { expect(value, `${i} ${j}`).to.be.closeTo(expected[i]![j]!, 1e-6) }) })
  })

  it('weigh neighbours to a sum of 1, whatever points and however few, alike points too', () => {
    const coordinate = fc.double({ min: -9, max: 9, noNaN: true })
    const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 2, maxLength: 9 })
    fc.assert(fc.property(points, fc.integer({ min: 1, max: 9 }), (all, k) => {
      for (const [i, row] of adaptiveNeighbours(squaredDistances(all), k).entries()) {
        expect(row[i]).to.equal(0)
        expect(row.every((each) => each >= 0)).to.equal(true)
        expect(row.reduce((sum, each) => sum + each, 0)).to.be.closeTo(1, 1e-9)
      }
    }))
  })

  it('go to the nearest point of the simplex: what brute force over the kept ones finds', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 }), (v) => {
      const points = Array.from({ length: 2 ** v.length - 1 }, (_, mask) => {
        const kept = [...v.keys()].filter((i) => (mask + 1 >> i & 1) === 1)
        const shift = (kept.reduce((sum, i) => sum + v[i]!, 0) - 1) / kept.length
        return v.map((value, i) => kept.includes(i) ? value - shift : 0)
      }).filter((point) => point.every((each) => each >= 0))
      const away = (point: ArrayLike<number>): number => v.reduce((sum, value, i) => sum + (value - point[i]!) ** 2, 0)
      const found = ontoSimplex(v)
      expect(found.reduce((sum, each) => sum + each, 0)).to.be.closeTo(1, 1e-9)
      expect(away(found)).to.be.closeTo(Math.min(...points.map(away)), 1e-9)
    }))
  })

  it('are the blocks of a noisy graph of 40 nodes', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed)
      const blocks = shuffled(Array.from({ length: 40 }, (_, i) => i % 2), random)
      const noisy = blocks.map((one, i) => Float64Array.from(blocks, (other, j) =>
        i === j ? 0 : (one === other ? 0.5 + random() : random() < 0.2 ? 0.3 * random() : 0) / 20))
      const graph = symmetric(noisy)
      expect(drained(constrainedRank(graph, 2)), String(seed)).to.deep.equal(blocks.map((each) => each === blocks[0] ? 0 : 1))
    }
  })

  it('are found by the gap of eigenvalues, however many there are, one among them', () => {
    const joined = (sizes: readonly number[]): Float64Array[] => {
      const blocks = sizes.flatMap((size, block) => new Array<number>(size).fill(block))
      return blocks.map((one, i) => Float64Array.from(blocks, (other, j) => i === j ? 0 : one === other ? 0.1 : 1e-4))
    }
    expect([[9], [5, 6], [4, 5, 6], [5, 5, 5, 5, 5]].map((sizes) => clusterCount(joined(sizes)))).to.deep.equal([1, 2, 3, 5])
  })

  it('of sites are their kinds, and one where all are of a kind', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const two = factsOf([0, 1, 0, 1, 1, 0, 1, 0, 1, 1], seed)
      const ids = [...two.keys()]
      const clusters = drained(clustersOf(two, SETTINGS))
      expect(partition(clusters, ids), `two, ${seed}`).to.deep.equal(
        [[0, 2, 5, 7], [1, 3, 4, 6, 8, 9]].map((members) => members.map((each) => ids[each]).join())
      )
      expect(clusters.affinity(ids[0]!, ids[1]!), `two, ${seed}`).to.be.closeTo(0.1, 1e-6)
      expect(clusters.affinity(ids[0]!, ids[2]!), `two, ${seed}`).to.be.within(0.9, MOST_AFFINITY)
      const one = factsOf(new Array<number>(10).fill(0), seed)
      expect(partition(drained(clustersOf(one, SETTINGS)), [...one.keys()]).length, `one, ${seed}`).to.equal(1)
    }
  })

  it('are not joined by one site that has patients of both kinds, or says so; sites that all have are one', () => {
    const halfOf = (one: Facts, other: Facts): Facts => {
      const half = MOST_CENTRES / 2 * PROJECTION
      const centres = Float32Array.of(...one['centres']!.subarray(0, half), ...other['centres']!.subarray(0, half))
      return { centres, shares: new Float32Array(MOST_CENTRES).fill(1 / MOST_CENTRES), graph: one['graph']! }
    }
    const whole: number[] = []
    for (let seed = 1; seed <= 10; seed++) {
      const kindOf = [0, 1, 0, 1, 1, 0, 1, 0, 1, 1]
      const facts = factsOf(kindOf, seed)
      const ids = [...facts.keys()]
      // Its id comes first, so that it is not by its place that it leads nobody.
      facts.set('a-mixed', halfOf(facts.get(ids[0]!)!, facts.get(ids[1]!)!))
      const clusters = drained(clustersOf(facts, { ...SETTINGS, count: 2 }))
      const kinds = [[0, 2, 5, 7], [1, 3, 4, 6, 8, 9]].map((members) => members.map((each) => ids[each]).join())
      const found = partition(clusters, ids).map((members) => members.replace('a-mixed,', ''))
      expect(found, String(seed)).to.deep.equal(kinds)
      expect(clusters.membersOf('a-mixed')!.length, String(seed)).to.be.oneOf([5, 7])
      const all = new Map(ids.map((id, i) => [id, halfOf(facts.get(id)!, facts.get(ids[1 - kindOf[i]!]!)!)]))
      whole.push(partition(drained(clustersOf(all, { ...SETTINGS, count: 2 })), ids).length)
    }
    expect(whole.filter((each) => each === 1), 'parts may cut through a kind, too').to.have.length.at.least(8)
  })

  it('are the same whatever the order in which sites were heard of, and of as many sites as 64 and more', () => {
    const kinds = Array.from({ length: 70 }, (_, i) => i % 3 === 0 ? 0 : 1)
    const facts = factsOf(kinds, 3)
    const ids = [...facts.keys()]
    const [one, other] = [facts, new Map([...facts].reverse())].map((each) => drained(clustersOf(each, { ...SETTINGS, count: 2 })))
    expect(partition(one!, ids)).to.deep.equal(partition(other!, ids))
    expect(partition(one!, ids).map((members) => members.split(',').length).sort()).to.deep.equal([24, 46])
  })

  it('leave out who tells nothing, and stand liars of any number', () => {
    const facts = factsOf([0, 0, 1, 1], 1)
    facts.set('silent', {})
    facts.set('liar', {
      centres: new Float32Array(MOST_CENTRES * PROJECTION).fill(1),
      shares: new Float32Array(MOST_CENTRES),
      graph: new Float32Array(MOST_CENTRES ** 2).fill(1)
    })
    const clusters = drained(clustersOf(facts, SETTINGS))
    for (const id of ['silent', 'liar', 'nobody']) expect(clusters.membersOf(id), id).to.equal(undefined)
    expect(clusters.affinity('silent', 'site-000')).to.equal(0.1)
    expect(clusters.membersOf('site-000')).to.deep.equal(['site-000', 'site-001'])
    expect(drained(clustersOf(new Map(), SETTINGS)).membersOf('site-000')).to.equal(undefined)
  })
})
