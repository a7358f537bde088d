import { expect } from 'chai'
import fc from 'fast-check'
import { partFactor, partsOf, refinedParts, type SiteParts } from '../../../src/gossip-aggregation/mixing/generalisation.ts'

const STEP = 0.05
const SITES = ['a', 'b', 'c']
const gap = fc.double({ min: 0, max: 1, noNaN: true })

function expectParts (parts: SiteParts, expected: readonly number[]): void {
  Object.values(parts).forEach((part, i) => { expect(part).to.be.closeTo(expected[i]!, 1e-6) })
}

describe('parts of sites by how far training moves them', () => {
  it('are those of the specification for three sites of 50 rounds, and refined only once they were used', () => {
    const first = partsOf(SITES)
    expectParts(first, [1 / 3, 1 / 3, 1 / 3])
    const second = refinedParts(first, { a: 0.02, b: 0.01, c: 0.04 }, STEP)
    expectParts(second, [0.331984, 0.327935, 0.340081])
    expectParts(refinedParts(partsOf(SITES, second), { a: 0.03, b: 0.03, c: 0.01 }, STEP * (1 - 1 / 50)), [0.335530, 0.331630, 0.332841])
  })

  it('stay where gaps are alike, where no two are known, and without a step', () => {
    const parts = { a: 0.25, b: 0.25, c: 0.25, d: 0.25 }
    expectParts(refinedParts(parts, { a: 0.3, b: 0.3, c: 0.3, d: 0.3 }, STEP), [0.25, 0.25, 0.25, 0.25])
    expect(refinedParts(parts, { a: 0.3 }, STEP)).to.equal(parts)
    expect(refinedParts(parts, { a: 0, b: 0, c: 0, d: 0 }, STEP)).to.equal(parts)
    expect(refinedParts(partsOf(SITES), { a: 0.1, b: 0.9, c: 0 }, 0)).to.deep.equal(partsOf(SITES))
  })

  it('begin equal for who comes, and forget who goes', () => {
    const parts = partsOf(['a', 'c', 'd'], { a: 0.5, b: 0.3, c: 0.2 })
    expectParts(parts, [0.5, 0.2, 1 / 3].map((each) => each / (0.7 + 1 / 3)))
    expect(Object.keys(parts)).to.deep.equal(['a', 'c', 'd'])
  })

  it('do not hang on the order of sites, sum to 1, and are moved by a lie of one site by less than a step', () => {
    fc.assert(fc.property(fc.array(gap, { minLength: 2, maxLength: 8 }), (gaps) => {
      const names = gaps.map((_, i) => `site ${i}`)
      const by = (all: readonly number[]): Record<string, number> => Object.fromEntries(all.map((each, i) => [names[i]!, each]))
      const parts = refinedParts(partsOf(names), by(gaps), STEP)
      const back = refinedParts(partsOf(names.toReversed()), by(gaps), STEP)
      for (const name of names) expect(parts[name]).to.be.closeTo(back[name]!, 1e-12)
      expect(Object.values(parts).reduce((sum, each) => sum + each, 0)).to.be.closeTo(1, 1e-12)
      const lied = refinedParts(partsOf(names), { ...by(gaps), [names[0]!]: 1 }, STEP)
      const masses = names.slice(1).map(() => 1)
      for (const name of names.slice(1)) {
        expect(Math.abs(partFactor(lied[name]!, 1, masses) - partFactor(parts[name]!, 1, masses))).to.be.below(2 * STEP)
      }
    }))
  })

  it('make of a mean by mass the mean by parts', () => {
    const [masses, parts] = [[3, 1, 2], [0.3, 0.36, 0.34]]
    const deltas = [[1, -2, 0.5], [0.3, 4, -1], [-2, 0.1, 0.7]]
    const factors = parts.map((part, i) => partFactor(part, masses[i]!, masses.filter((_, j) => j !== i)))
    for (let k = 0; k < 3; k++) {
      const landed = deltas.reduce((sum, delta, i) => sum + masses[i]! / 6 * factors[i]! * delta[k]!, 0)
      expect(landed).to.be.closeTo(deltas.reduce((sum, delta, i) => sum + parts[i]! * delta[k]!, 0), 1e-6)
    }
  })

  it('never scale beyond the bounds of all federations, and take an unknown mass as the median', () => {
    expect(partFactor(1, 1, [1e6])).to.equal(4)
    expect(partFactor(0, 1, [1])).to.equal(1 / 4)
    expect(partFactor(1 / 3, 0, [0, 0])).to.equal(1)
    expect(partFactor(1 / 3, 2, [4, undefined])).to.be.closeTo((2 + 4 + 3) / 6, 1e-12)
  })
})
