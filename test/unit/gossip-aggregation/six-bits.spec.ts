import { expect } from 'chai'
import fc from 'fast-check'
import { packSixBits, unpackSixBits } from '../../../src/gossip-aggregation/codecs/six-bits.ts'

describe('six bits', () => {
  it('come back as they were, and touch no byte beside theirs', () => {
    fc.assert(fc.property(fc.uint8Array({ max: 63, maxLength: 70 }), fc.nat({ max: 5 }), (codes, at) => {
      const length = Math.ceil(codes.length * 6 / 8)
      const bytes = new Uint8Array(at + length + 3).fill(0xa5)
      packSixBits(codes, bytes, at)
      expect([...bytes.subarray(0, at), ...bytes.subarray(at + length)].every((byte) => byte === 0xa5)).to.equal(true)
      const back = new Uint8Array(codes.length)
      unpackSixBits(bytes, at, back)
      expect([...back]).to.deep.equal([...codes])
    }))
  })

  it('lie with the first code in the lowest bits', () => {
    const bytes = new Uint8Array(5)
    packSixBits(Uint8Array.of(1, 2, 3, 4, 63, 1), bytes, 0)
    expect([...bytes]).to.deep.equal([0b10_000001, 0b0011_0000, 0b000100_00, 0b01_111111, 0])
  })

  it('of any bytes are codes below 64', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), fc.integer({ min: 0, max: 12 }), (bytes, count) => {
      const codes = new Uint8Array(count)
      unpackSixBits(bytes, 0, codes)
      expect(codes.every((code) => code < 64)).to.equal(true)
    }))
  })
})
