import { expect } from 'chai'
import { KEEP, WARMUP } from '../../../scripts/pretrain/settings.ts'
import { keepFactor, rateFactor } from '../../../scripts/pretrain/training/schedule.ts'

describe('the schedule of the pretraining', () => {
  const steps = 10 * WARMUP

  it('warms up, stays, and ends at zero', () => {
    expect([1, WARMUP, steps / 2, 0.75 * steps, steps].map((step) => Number(rateFactor(step, steps).toFixed(6)))).to.deep.equal([
      Number((1 / WARMUP).toFixed(6)),
      1,
      1,
      0.5,
      0
    ])
  })

  it('never rises after the warm-up', () => {
    for (let step = WARMUP + 1; step <= steps; step++) expect(rateFactor(step, steps)).to.be.at.most(rateFactor(step - 1, steps))
  })

  it('lets the running mean follow at once in the beginning', () => {
    expect(keepFactor(1)).to.equal(0.1)
    expect(keepFactor(1e6)).to.equal(KEEP)
  })
})
