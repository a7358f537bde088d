import { expect } from 'chai'
import * as fc from 'fast-check'
import { subtract, sumOfSquares } from '../../../src/gossip-aggregation/squares.ts'

const pairs = fc.array(fc.tuple(fc.float(), fc.float()), { maxLength: 40 }).map((numbers) => [0, 1].map((side) => Float32Array.from(numbers, (both) => both[side]!)) as [Float32Array, Float32Array])

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
    for (let at = 0; at < 7; at++) {
      for (const value of [NaN, Infinity, -Infinity]) {
        const theirs = new Float32Array(7)
        theirs[at] = value
        expect(Number.isFinite(subtract(theirs, new Float32Array(7), new Float32Array(7)))).to.equal(false)
      }
    }
  })
})
