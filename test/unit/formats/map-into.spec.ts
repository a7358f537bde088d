import { expect } from 'chai'
import fc from 'fast-check'
import { toFloats } from '../../../src/formats/map-into.ts'

describe('whole numbers of 64 bits', () => {
  it('become the nearest floating-point numbers, signed and unsigned, in the memory that they had', () => {
    for (const [Type, values] of [[BigInt64Array, fc.bigInt64Array()], [BigUint64Array, fc.bigUint64Array()]] as const) {
      fc.assert(fc.property(values as fc.Arbitrary<BigInt64Array>, (stored) => {
        const floats = toFloats(Type.from(stored))
        expect([...floats]).to.deep.equal([...stored].map(Number))
      }))
    }
    const stored = BigInt64Array.of(1n)
    expect(toFloats(stored).buffer).to.equal(stored.buffer)
  })
})
