import { expect } from 'chai'
import { SchemaError } from '../../../src/errors.ts'
import { releasePublication, wrongIn, type PublicationLimits } from '../../../src/gossip-aggregation/publication-gate.ts'

const LIMITS: PublicationLimits = { count: 4, most: 8, normBound: 3, levels: Float32Array.of(0, 0.5, 1) }
const VALUES = Float32Array.of(0, 0.5, 1, 1)

describe('the release gate of publications', () => {
  it('lets a copy out of numbers that are as many as agreed, of their levels and within the bound', () => {
    const { values } = releasePublication('looks', VALUES, { consented: true, limits: LIMITS })
    expect(values).to.deep.equal(VALUES)
    expect(values === VALUES).to.equal(false)
  })

  it('lets nothing out without both consents', () => {
    expect(() => releasePublication('looks', VALUES, { consented: false, limits: LIMITS })).to.throw(SchemaError, /lacks a consent/)
  })

  it('lets nothing out that is more, other or larger than agreed', () => {
    const wrong: [Float32Array, Partial<PublicationLimits>, RegExp][] = [
      [VALUES.slice(1), {}, /3 numbers, not 4/],
      [Float32Array.of(0, 0, 0, 0.25), {}, /none of its levels/],
      [Float32Array.of(0, 0, 0, NaN), {}, /not finite/],
      [Float32Array.of(0, 0, 0, Infinity), {}, /not finite/],
      [Float32Array.of(2, 2, 2, 2), { levels: undefined }, /over the bound/],
      [new Float32Array(9), { count: 9 }, /8 are the most/]
    ]
    for (const [values, limits, words] of wrong) {
      expect(wrongIn(values, { ...LIMITS, ...limits })).to.match(words)
      expect(() => releasePublication('looks', values, { consented: true, limits: { ...LIMITS, ...limits } })).to.throw(SchemaError, words)
    }
  })
})
