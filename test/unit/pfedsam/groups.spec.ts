import { expect } from 'chai'
import fc from 'fast-check'
import { adjustedRand, withinGroup } from '../../../bench/pfedsam/groups.ts'
import { groupsOf, siteCount, DATA_NAMES } from '../../../bench/pfedsam/sites.ts'

/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000
const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 12 })

describe('groups of sites', function () {
  this.timeout(PATIENCE)

  it('are two where a data set has two, and are of all its sites', () => {
    expect(groupsOf('prostate-conflict')).to.deep.equal([1, 0, 1, 0, 1, 0])
    expect(groupsOf('prostate-modality')).to.deep.equal([0, 0, 0, 1, 1, 1])
    expect(groupsOf('two-organs')).to.deep.equal([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    for (const name of DATA_NAMES) expect(groupsOf(name)?.length ?? siteCount(name), name).to.equal(siteCount(name))
  })

  it('are found exactly, whatever they are called, or as by chance', () => {
    expect(adjustedRand([0, 0, 1, 1, 1], [7, 7, 3, 3, 3])).to.equal(1)
    expect(adjustedRand([0, 0, 0, 0], [0, 0, 0, 0])).to.equal(1)
    expect(adjustedRand([0, 1, 2], [0, 1, 2])).to.equal(1)
    expect(adjustedRand([0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1]), 'no groups are found').to.equal(0)
    // Hubert and Arabie: of 6, (3, 3) against (2, 2, 2) with cells 2 1 / 1 2: (2 − 6·3/15) / ((6 + 3)/2 − 6·3/15).
    expect(adjustedRand([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2])).to.be.closeTo(0.8 / 3.3, 1e-12)
    fc.assert(fc.property(labels, fc.integer({ min: 1, max: 9 }), (one, shift) => {
      const other = one.map((each, i) => (each + i * shift) % 3)
      expect(adjustedRand(one, other)).to.be.closeTo(adjustedRand(other, one), 1e-12)
      expect(adjustedRand(one, one.map((each) => 10 - each))).to.equal(1)
      expect(adjustedRand(one, other)).to.be.at.most(1)
    }))
  })

  it('are learnt from: the part of their own that sites serve, whatever its sign', () => {
    const even = [0, 1, 0, 1].map(() => [0.25, 0.25, 0.25, 0.25])
    expect(withinGroup(even, [0, 1, 0, 1])).to.equal(0.5)
    expect(withinGroup([[0.5, 0, 0.5, 0], [0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5]], [0, 1, 0, 1])).to.equal(1)
    expect(withinGroup([[0.9, -0.1], [-0.1, 0.9]], [0, 1])).to.be.closeTo(0.9, 1e-12)
  })
})
