import { expect } from 'chai'
import fc from 'fast-check'
import { agreementOf } from '../../../src/experiment/agreement.ts'

const zero = new Float32Array(3)

describe("the agreement of sites' updates", () => {
  it('is 1 for one direction, 0 for right angles, −1 for two that undo each other, whatever their lengths', () => {
    const of = (...after: number[][]): number | undefined =>
      agreementOf(after.map(() => zero), after.map((each) => Float32Array.from(each)))
    expect(of([1, 2, 3], [2, 4, 6], [0.5, 1, 1.5])).to.be.closeTo(1, 1e-6)
    expect(of([1, 0, 0], [0, 5, 0], [0, 0, 9])).to.be.closeTo(0, 1e-6)
    expect(of([1, 1, 0], [-3, -3, 0])).to.be.closeTo(-1, 1e-6)
    expect(of([1, 0, 0])).to.equal(undefined)
    expect(of([1, 0, 0], [0, 0, 0])).to.equal(undefined)
  })

  it('is the mean cosine of all pairs, from wherever each began', () => {
    const numbers = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 3, maxLength: 3 })
      .filter((each) => each.some((value) => value !== 0))
    fc.assert(fc.property(fc.array(fc.tuple(numbers, numbers), { minLength: 2, maxLength: 6 }), (sites) => {
      const before = sites.map(([each]) => Float32Array.from(each))
      const after = sites.map(([begin, moved]) => Float32Array.from(begin, (value, i) => value + moved[i]!))
      const cosines = sites.flatMap(([, a], i) => sites.slice(i + 1).map(([, b]) =>
        a.reduce((sum, value, k) => sum + value * b[k]!, 0) / Math.hypot(...a) / Math.hypot(...b)))
      expect(agreementOf(before, after)).to.be.closeTo(cosines.reduce((sum, each) => sum + each, 0) / cosines.length, 1e-6)
    }))
  })
})
