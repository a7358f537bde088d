import { expect } from 'chai'
import fc from 'fast-check'
import { normal, seededRandom } from '../../../src/common/random.ts'
import { releaseFacts } from '../../../src/gossip-aggregation/facts.ts'
import { clusterFacts, MOST_CENTRES } from '../../../src/gossip-aggregation/mixing/cluster-facts.ts'
import { clustersOfPatients, pooled, projected } from '../../../src/site-model/image-clusters.ts'

const WIDTH = 4
const SETTINGS = { projection: WIDTH, minimum: 5, neighbours: 3, seed: 1 }

/** Patients about so many middles. */
function patients (sizes: readonly number[], seed = 1): number[][] {
  const random = seededRandom(seed)
  return sizes.flatMap((size, kind) => Array.from({ length: size }, () =>
    Array.from({ length: WIDTH }, (_, i) => (i === kind ? 0.5 : 0) + 0.02 * normal(random))))
}

function sharesOf (sizes: readonly number[], seed?: number): number[] {
  return [...clustersOfPatients(patients(sizes, seed), SETTINGS).shares].map((each) => Math.round(1000 * each))
}

describe('what a site tells of clusters of its patients', () => {
  it('are the clusters that there are, the largest first, four at most', () => {
    expect(sharesOf([8, 12])).to.deep.equal([600, 400, 0, 0])
    expect(sharesOf([6, 8, 10, 16])).to.deep.equal([400, 250, 200, 150])
    const { centres } = clustersOfPatients(patients([8, 12]), SETTINGS)
    expect([...centres].slice(0, 2 * WIDTH).map((each) => Math.round(10 * each) / 10 + 0)).to.deep.equal([0, 0.5, 0, 0, 0.5, 0, 0, 0])
  })

  it('are none of fewer patients than the least: those join the nearest', () => {
    expect(sharesOf([4, 16])).to.not.include(200)
    expect(sharesOf([9])).to.deep.equal([1000, 0, 0, 0])
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }), fc.nat({ max: 99 }), (sizes, seed) => {
      const count = sizes.reduce((sum, each) => sum + each, 0)
      if (count < SETTINGS.minimum) return
      const facts = clustersOfPatients(patients(sizes, seed), SETTINGS)
      for (const share of facts.shares) if (share > 0) expect(share * count).to.be.above(SETTINGS.minimum - 0.01)
      expect(facts.shares.reduce((sum, each) => sum + each, 0)).to.be.closeTo(1, 1e-6)
      expect(releaseFacts(clusterFacts({ projection: WIDTH }), facts)?.values).to.have.length(MOST_CENTRES * (WIDTH + 1 + MOST_CENTRES))
    }))
  })

  it('are weighed against each other as their patients are neighbours', () => {
    const { graph } = clustersOfPatients(patients([8, 6]), SETTINGS)
    const [within, across] = [graph[0]!, graph[1]!]
    expect(within).to.be.above(0.05)
    expect(across).to.be.below(0.001)
    expect(graph[MOST_CENTRES]).to.equal(across)
    expect([...graph].filter((_, i) => i % MOST_CENTRES > 1 || i >= 2 * MOST_CENTRES).every((each) => each === 0)).to.equal(true)
  })

  it('are made of means over places, projected alike at every site, within the unit ball', () => {
    expect(pooled({ shape: [1, 1, 2, 3], data: [1, 2, 3, 5, 6, 7] })).to.deep.equal([3, 4, 5])
    const features = Array.from({ length: 64 }, (_, i) => Math.sin(i))
    expect(projected(features, 16, 7)).to.deep.equal(projected(features, 16, 7))
    expect(projected(features, 16, 7)).to.not.deep.equal(projected(features, 16, 8))
    expect(Math.hypot(...projected(features, 16, 7))).to.be.within(0.3, 1)
    expect(Math.hypot(...projected(features.map((each) => 1e6 * each), 16, 7))).to.be.closeTo(1, 1e-9)
  })
})
