import { expect } from 'chai'
import { adamw, initialState, norm, rateAt } from '../../../scripts/pretrain/adamw.ts'

const close = (values: Float32Array, expected: number[]): void => {
  expected.forEach((value, i) => { expect(values[i]).to.be.closeTo(value, 1e-6) })
}

describe('the optimiser of the pretraining', () => {
  const settings = { step: 0, rate: 0.1, decay: new Float32Array(2), clip: Infinity, keep: 0.9 }

  it('moves each parameter by the rate against its gradient in the first step', () => {
    const parameters = Float32Array.of(1, -2)
    adamw(parameters, Float32Array.of(0.5, -30), initialState(parameters), settings)
    close(parameters, [0.9, -1.9])
  })

  it('shortens long gradients, which the second step can tell', () => {
    const [plain, clipped] = [Float32Array.of(0, 0), Float32Array.of(0, 0)]
    for (const [parameters, clip] of [[plain, Infinity], [clipped, 1]] as const) {
      const state = initialState(parameters)
      adamw(parameters, Float32Array.of(30, 40), state, { ...settings, clip })
      adamw(parameters, Float32Array.of(0.3, 0.4), state, { ...settings, clip, step: 1 })
    }
    expect(clipped[0]).to.be.below(plain[0]! - 0.01)
  })

  it('pulls towards zero only where decay applies', () => {
    const parameters = Float32Array.of(1, 1)
    adamw(parameters, Float32Array.of(0, 0), initialState(parameters), { ...settings, decay: Float32Array.of(0.5, 0) })
    close(parameters, [0.95, 1])
  })

  it('keeps a running mean that follows at once in the beginning', () => {
    const parameters = Float32Array.of(1, 1)
    const state = initialState(parameters)
    adamw(parameters, Float32Array.of(1, 1), state, settings)
    close(state.mean, [0.1 * 1 + 0.9 * 0.9, 0.1 * 1 + 0.9 * 0.9])
  })

  it('measures the Euclidean norm', () => {
    expect(norm(Float32Array.of(3, -4))).to.equal(5)
  })
})

describe('the learning rate', () => {
  const schedule = { rate: 1, warmup: 10, steps: 100 }

  it('warms up, stays, and ends near zero', () => {
    expect([0, 4, 9, 30, 50, 75].map((step) => Number(rateAt(step, schedule).toFixed(6)))).to.deep.equal([0.1, 0.5, 1, 1, 1, 0.5])
    expect(rateAt(99, schedule)).to.be.within(0, 0.01)
  })

  it('never rises after the warm-up', () => {
    for (let step = 10; step < 100; step++) expect(rateAt(step, schedule)).to.be.at.most(rateAt(step - 1, schedule))
  })
})
