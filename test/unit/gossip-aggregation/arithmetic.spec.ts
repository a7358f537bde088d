import { expect } from 'chai'
import * as fc from 'fast-check'
import { addScaled, plainCombine, plainSum, subtract, sumOfSquares } from '../../../src/gossip-aggregation/vectors/arithmetic.ts'
import { kernels, AT_ONCE } from '../../../src/gossip-aggregation/vectors/wasm-passes.ts'

const pairs = fc.array(fc.tuple(fc.float(), fc.float()), { maxLength: 40 }).map((numbers) =>
  [0, 1].map((side) => Float32Array.from(numbers, (both) => both[side]!)) as [Float32Array, Float32Array]
)
/** Lengths on either side of where WebAssembly begins, of its fours, and of a slice. */
const lengths = fc.oneof(
  fc.integer({ min: 505, max: 530 }),
  fc.integer({ min: AT_ONCE - 5, max: AT_ONCE + 5 }),
  fc.constant(3 * AT_ONCE + 601)
)
const long = fc.tuple(lengths, fc.array(fc.float(), { minLength: 7, maxLength: 7 })).map(([length, seed]) =>
  Float32Array.from({ length }, (_, index) => seed[index % 7]! * (1 + index / length))
)

function slicesOf (values: Float32Array): Float32Array[] {
  return Array.from({ length: Math.ceil(values.length / AT_ONCE) }, (_, slice) => values.subarray(slice * AT_ONCE, (slice + 1) * AT_ONCE))
}

describe('differences and their squares', () => {
  it('are those of float32 numbers, and their sum is that of sumOfSquares to the last bit', () => {
    fc.assert(fc.property(pairs, ([theirs, own]) => {
      const into = new Float32Array(own.length)
      const squares = subtract(theirs, own, into)
      expect(into).to.deep.equal(own.map((value, index) => theirs[index]! - value))
      expect(squares).to.deep.equal(sumOfSquares(into))
    }))
  })

  it('sum up alike at either side', () => {
    fc.assert(fc.property(pairs, ([theirs, own]) => {
      expect(subtract(theirs, own, new Float32Array(own.length))).to.deep.equal(subtract(own, theirs, new Float32Array(own.length)))
    }))
  })

  it('are not finite as soon as one value is not, wherever it is', () => {
    for (const length of [7, 1_003]) {
      for (let at = 0; at < length; at += Math.ceil(length / 7)) {
        for (const value of [NaN, Infinity, -Infinity]) {
          const theirs = new Float32Array(length)
          theirs[at] = value
          expect(Number.isFinite(subtract(theirs, new Float32Array(length), new Float32Array(length)))).to.equal(false)
        }
      }
    }
  })

  it('are the same to the last bit in WebAssembly, which is there, and in JavaScript', () => {
    expect(kernels).not.to.equal(undefined)
    fc.assert(fc.property(long, fc.float(), (values, factor) => {
      const other = values.toReversed()
      expect(sumOfSquares(values)).to.deep.equal(slicesOf(values).reduce((sum, slice) => sum + plainSum(slice), 0))
      const [difference, plain] = [new Float32Array(values.length), new Float32Array(values.length)]
      subtract(values, other, difference)
      plainCombine(values, -1, other, plain)
      expect(difference).to.deep.equal(plain)
      const [added, plainlyAdded] = [values.slice(), values.slice()]
      const squares = addScaled(added, factor, other)
      plainCombine(values, Math.fround(factor), other, plainlyAdded)
      expect(added).to.deep.equal(plainlyAdded)
      const sum = sumOfSquares(added)
      // Beyond what a float holds, the one may be infinite where the other is not a number: neither is ever let out.
      if (Number.isFinite(sum)) expect(squares).to.equal(sum)
      else expect(squares).not.to.satisfy(Number.isFinite)
    }), { numRuns: 60 })
  })
})
