import { expect } from 'chai'
import fc from 'fast-check'
import { clipped, clippedAndNoised } from '../../../src/privacy/clip-and-noise.ts'
import { logTail } from '../../../src/privacy/normal-tail.ts'
import { secretNormal, secretRandom } from '../../../src/privacy/secret-noise.ts'

const DRAWS = 1_000_000
const length = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0))

describe('noise', () => {
  it('is standard normal: mean, variance, and the whole distribution (Kolmogorov and Smirnov)', () => {
    const normal = secretNormal()
    const draws = Float64Array.from({ length: DRAWS }, normal).sort()
    const mean = draws.reduce((sum, value) => sum + value, 0) / DRAWS
    const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS
    // Six standard errors; chance is one in a billion.
    expect(mean).to.be.closeTo(0, 6 / Math.sqrt(DRAWS))
    expect(variance).to.be.closeTo(1, 6 * Math.sqrt(2 / DRAWS))
    const farthest = draws.reduce((most, value, i) => Math.max(most, Math.abs(1 - Math.exp(logTail(value)) - (i + 0.5) / DRAWS)), 0)
    // P(√n·D > 3.3) = 2·e^(−2·3.3²) = 7e-10.
    expect(farthest * Math.sqrt(DRAWS)).to.be.below(3.3)
  })

  it('never comes from a seed twice', () => {
    const firsts = new Set(Array.from({ length: 1_000 }, () => secretRandom()()))
    expect(firsts.size).to.equal(1_000)
    const [one, other] = [0, 1].map(() => clippedAndNoised(new Float32Array(50), { clip: 1, noise: 1, normal: secretNormal() }))
    expect(one!.some((value, i) => value === other![i])).to.equal(false)
  })

  it('hides what is clipped: whatever it was, the part that is not noise is no longer than clip', () => {
    fc.assert(fc.property(fc.float32Array({ maxLength: 30 }), fc.double({ min: 1e-3, max: 10, noNaN: true }), (values, clip) => {
      const part = clipped(Float64Array.from(values), clip)
      expect(length(part)).to.be.at.most(clip * (1 + 1e-9))
      expect(part.every(Number.isFinite)).to.equal(true)
      if (length(values) <= clip) expect([...part]).to.deep.equal([...values])
      const noised = clippedAndNoised(values, { clip, noise: 3, normal: () => 0.5 })
      expect([...noised]).to.deep.equal([...Float32Array.from(part, (value) => value + 1.5 * clip)])
    }))
  })
})
