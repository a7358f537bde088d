import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { SchemaError } from '../../../src/errors.ts'
import { release, SLICE, type Released } from '../../../src/gossip-aggregation/release.ts'

const schema = createSchema({ model: 'm', baseHash: 'b', tensors: [{ name: 'x', shape: [SLICE + 2], role: 'lora' }] })

function gate (values: Float32Array, normBound = 10): Released {
  return last(release(schema, values, { normBound, into: new Float32Array(values.length) }))
}

function last (slices: Generator<void, Released>): Released {
  for (let step = slices.next(); ; step = slices.next()) if (step.done === true) return step.value
}

describe('release gate', () => {
  it('lets a copy of a finite vector of the schema\'s count within the bound pass', () => {
    const values = new Float32Array(SLICE + 2)
    values[SLICE] = 10
    const released = gate(values)
    expect(released.values).to.deep.equal(values)
    expect(released.values).to.not.equal(values)
  })

  it('lets the vector itself pass where no copy is wanted, after the same checks', () => {
    const values = new Float32Array(SLICE + 2).fill(10, 1, 2)
    expect(last(release(schema, values, { normBound: 10 })).values).to.equal(values)
    expect(() => last(release(schema, values.fill(NaN, SLICE + 1), { normBound: 10 }))).to.throw(SchemaError, /finite/)
  })

  it('lets nothing else out', () => {
    expect(() => gate(new Float32Array(SLICE + 1))).to.throw(SchemaError, /numbers/)
    expect(() => gate(new Float32Array(SLICE + 3))).to.throw(SchemaError, /numbers/)
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(() => gate(new Float32Array(SLICE + 2).fill(bad, SLICE + 1))).to.throw(SchemaError, /finite/)
    }
    expect(() => gate(new Float32Array(SLICE + 2).fill(10.001, 5, 6))).to.throw(SchemaError, /norm/)
  })

  it('takes the sum of squares for known where it is, and judges by it', () => {
    const values = new Float32Array(SLICE + 2)
    expect(last(release(schema, values, { normBound: 10, squares: 81 })).norm).to.equal(9)
    expect(() => last(release(schema, values, { normBound: 10, squares: 121 }))).to.throw(SchemaError, /norm 11/)
    for (const squares of [NaN, Infinity]) {
      expect(() => last(release(schema, values, { normBound: 10, squares }))).to.throw(SchemaError, /finite/)
    }
  })

  it('pauses after every slice', () => {
    expect([...release(schema, new Float32Array(SLICE + 2), { normBound: 1, into: new Float32Array(SLICE + 2) })]).to.have.length(2)
  })
})
