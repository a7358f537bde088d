import { expect } from 'chai'
import fc from 'fast-check'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { seededRandom } from '../../../src/common/random.ts'
import { factorise, multiply } from '../../../src/model/parameters/low-rank.ts'
import { uniform } from '../../../src/model/parameters/shared-set.ts'

function random (count: number, seed: number): Float32Array {
  return uniform(count, 1, seededRandom(seed, 0))
}

function distance (a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]!))
}

describe('low-rank factors of a product', () => {
  const sides = [24, 4, 20] as const
  const start = uniform(4 * 20, 20, seededRandom(1, 1))

  it('come as near as a full decomposition allows', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1000 }), (seed) => {
      const product = random(24 * 20, seed)
      const { diagonal } = new SingularValueDecomposition(Matrix.from1DArray(24, 20, product))
      const least = Math.hypot(...diagonal.slice(4))
      const kept = multiply(factorise(product, sides, start), sides)
      expect(distance(kept, product)).to.be.within(least * 0.9999, least * 1.02)
    }), { numRuns: 30 })
  })

  it('of an average of a few sites, whose product fades fast, are exact to 1e-4', () => {
    const product = multiply({ b: random(24 * 6, 3), a: random(6 * 20, 4).map((value, i) => value * 0.2 ** Math.floor(i / 20)) }, [
      24,
      6,
      20
    ])
    const { diagonal } = new SingularValueDecomposition(Matrix.from1DArray(24, 20, product))
    const least = Math.hypot(...diagonal.slice(4))
    expect(distance(multiply(factorise(product, sides, start), sides), product)).to.be.closeTo(least, 1e-4 * diagonal[0]!)
  })

  it('give back a product that has the rank, and leave what it lacks to be trained', () => {
    const product = multiply({ b: random(24 * 2, 5), a: random(2 * 20, 6) }, [24, 2, 20])
    const { a, b } = factorise(product, sides, start)
    expect(distance(multiply({ a, b }, sides), product)).to.be.at.most(1e-5)
    expect(a.slice(40)).to.deep.equal(start.slice(40))
    expect(Array.from({ length: 24 }, (_, i) => [b[4 * i + 2], b[4 * i + 3]]).flat().every((value) => value === 0)).to.equal(true)
    for (const row of [0, 1]) expect(Math.hypot(...a.slice(20 * row, 20 * row + 20))).to.be.closeTo(1 / Math.sqrt(3), 1e-5)
  })

  it('of nothing are the start', () => {
    const { a, b } = factorise(new Float32Array(24 * 20), sides, start)
    expect(a).to.deep.equal(start)
    expect(b.every((value) => value === 0)).to.equal(true)
  })
})
