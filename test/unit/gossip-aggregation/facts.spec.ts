import { expect } from 'chai'
import fc from 'fast-check'
import { SchemaError } from '../../../src/errors.ts'
import { factNumbers, heardFacts, MOST_FACT_BYTES, releaseFacts } from '../../../src/gossip-aggregation/facts.ts'

const SPECS = [{ name: 'loss', length: 1, least: 0, most: 1 }, { name: 'way', length: 2, least: -2, most: 0.1 }]

describe('facts', () => {
  it('leave in the order of their specs once all are there, and are heard as they were said', () => {
    expect(releaseFacts(SPECS, { loss: Float32Array.of(0.5) })).to.equal(undefined)
    const { values } = releaseFacts(SPECS, { way: Float32Array.of(-2, 0.1), loss: Float32Array.of(1) })!
    expect([...values]).to.deep.equal([1, -2, Math.fround(0.1)])
    expect(heardFacts(SPECS, values)).to.deep.equal({ loss: Float32Array.of(1), way: Float32Array.of(-2, 0.1) })
  })

  it('do not leave with another length, beyond their range, or without being a number; what is not declared stays', () => {
    for (const way of [[0], [0, 0, 0], [0, 0.2], [-2.1, 0], [NaN, 0], [0, Infinity]]) {
      const facts = { loss: Float32Array.of(0), way: Float32Array.from(way) }
      expect(() => releaseFacts(SPECS, facts), String(way)).to.throw(SchemaError, 'must not leave')
    }
    expect(releaseFacts([], { pixels: Float32Array.of(7) })!.values).to.have.length(0)
  })

  it('are clamped on receipt, whatever a site says; those that are not the document\'s count as none', () => {
    fc.assert(fc.property(fc.float32Array({ minLength: 3, maxLength: 3, noNaN: true, noDefaultInfinity: true }), (said) => {
      const { loss, way } = heardFacts(SPECS, said)!
      expect(loss![0]).to.be.within(0, 1)
      for (const each of way!) expect(each).to.be.within(-2, Math.fround(0.1))
    }))
    for (const said of [undefined, new Float32Array(2), new Float32Array(4), Float32Array.of(0, NaN, 0)]) {
      expect(heardFacts(SPECS, said)).to.equal(undefined)
    }
  })

  it('are no more than 2 KiB', () => {
    const spec = { name: 'much', length: MOST_FACT_BYTES / 4, least: 0, most: 1 }
    expect(factNumbers([spec])).to.equal(512)
    expect(() => factNumbers([spec, SPECS[0]!])).to.throw(SchemaError, 'the most is 2048')
  })
})
