import { expect } from 'chai'
import fc from 'fast-check'
import { estimateDistance, relativeDistance } from '../../../src/gossip-aggregation/consensus.ts'
import { SKETCH_SIZE, sketchSeed, sketchSlices } from '../../../src/gossip-aggregation/sketch.ts'
import { seeded } from '../../sim/site.ts'

function sketch (values: Float32Array, seed: number): Float32Array {
  const slices = sketchSlices(values, seed)
  for (let step = slices.next(); ; step = slices.next()) if (step.done === true) return step.value
}

function randomVector (random: () => number, size: number, scale: number): Float32Array {
  return Float32Array.from({ length: size }, () => scale * (random() + random() + random() - 1.5))
}

describe('relative consensus distance', () => {
  it('is sqrt(mean ‖x_i − x̄‖²) / ‖x̄ − x_0‖', () => {
    const vectors = [Float32Array.of(3, 1), Float32Array.of(5, 1)]
    expect(relativeDistance(vectors, Float32Array.of(0, -2))).to.be.closeTo(1 / 5, 1e-12)
  })

  it('is 0 for equal vectors and infinite when only the mean stayed where it began', () => {
    expect(relativeDistance([Float32Array.of(1), Float32Array.of(1)], Float32Array.of(1))).to.equal(0)
    expect(relativeDistance([Float32Array.of(1), Float32Array.of(-1)], Float32Array.of(0))).to.equal(Infinity)
  })
})

describe('count sketch', () => {
  it('has 64 numbers, depends on the seed, and is linear', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 300 }), fc.string(), (numbers, id) => {
      const seed = sketchSeed(id)
      const x = Float32Array.from(numbers)
      const y = x.map((value, index) => value * index % 17)
      const both = sketch(x.map((value, index) => value + y[index]!), seed)
      expect(both).to.have.length(SKETCH_SIZE)
      expect(both).to.deep.equal(sketch(x, seed).map((value, index) => value + sketch(y, seed)[index]!))
    }))
    const ones = new Float32Array(1000).fill(1)
    expect(sketch(ones, sketchSeed('a'))).to.not.deep.equal(sketch(ones, sketchSeed('b')))
  })

  it('spreads the indices evenly over the sums and the signs', () => {
    const counts = new Float64Array(SKETCH_SIZE)
    let signs = 0
    for (let i = 0; i < 6400; i++) {
      const one = new Float32Array(i + 1)
      one[i] = 1
      sketch(one, 99).forEach((value, index) => { counts[index] = counts[index]! + Math.abs(value); signs += value })
    }
    expect(Math.max(...counts)).to.be.below(150)
    expect(Math.min(...counts)).to.be.above(60)
    expect(Math.abs(signs)).to.be.below(240)
  })

  it('estimates the relative distance within 15 % in the mean over federations', () => {
    const random = seeded(3)
    const size = 20_000
    let error = 0
    for (let federation = 0; federation < 10; federation++) {
      const seed = sketchSeed(`federation ${federation}`)
      const origin = randomVector(random, size, 1)
      const common = randomVector(random, size, 0.3)
      const vectors = Array.from(
        { length: 6 },
        () => randomVector(random, size, 0.1).map((value, index) => value + origin[index]! + common[index]!)
      )
      const exact = relativeDistance(vectors, origin)
      error += Math.abs(estimateDistance(vectors.map((x) => sketch(x, seed)), sketch(origin, seed)) / exact - 1) / 10
    }
    expect(error).to.be.below(0.15)
  })

  it('pauses after every 65 536 numbers', () => {
    expect([...sketchSlices(new Float32Array(200_000), 1)]).to.have.length(4)
  })
})
