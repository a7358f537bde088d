import { expect } from 'chai'
import fc from 'fast-check'
import { robustFactor, type Weighed } from '../../../src/gossip-aggregation/mixing/robust.ts'

const BOUNDS = { least: 1 / 4, most: 4 }
const site = fc.record({ mass: fc.double({ min: 1, max: 900, noNaN: true }), loss: fc.double({ min: 0, max: 1, noNaN: true }) })
const losses = fc.array(site, { minLength: 2, maxLength: 8 })

/** Of every site, by what all say. */
function factorsOf (sites: readonly Weighed[], mu: number): number[] {
  return sites.map((own, i) => robustFactor(own, sites.filter((_, j) => j !== i), { mu, ...BOUNDS }))
}

/** Two sites with the losses ½(θ − c)², of length 1 at most, and the mean of their masses 3 and 1. */
const QUADRATIC = { centres: [-0.4, 0.6], masses: [3, 1], mu: 0.3 } as const

function weighed (theta: number): Weighed[] {
  return QUADRATIC.centres.map((centre, i) => ({ mass: QUADRATIC.masses[i]!, loss: (theta - centre) ** 2 / 2 }))
}

/** Where μ·log Σ (w/W)·e^(f/μ) is least, by bisection on its derivative. */
function robustMinimum (): number {
  const slope = (theta: number): number => weighed(theta).reduce((sum, { mass, loss }, i) =>
    sum + mass * Math.exp(loss / QUADRATIC.mu) * (theta - QUADRATIC.centres[i]!), 0)
  let [low, high] = [-1, 1]
  while (high - low > 1e-9) {
    const middle = (low + high) / 2
    if (slope(middle) > 0) high = middle
    else low = middle
  }
  return low
}

/** Where rounds of local training and the mean by mass lead; `train` says what site i makes of θ, by its weight. */
function fixedPoint (train: (theta: number, i: number, weight: number) => number): number {
  let theta = 0
  for (let round = 0; round < 4_000; round++) {
    const factors = factorsOf(weighed(theta), QUADRATIC.mu)
    const step = QUADRATIC.masses.reduce((sum, mass, i) => sum + mass / 4 * train(theta, i, factors[i]!), 0)
    theta += step
  }
  return theta
}

/** AdamW of its default moments from fresh ones, as every round begins, with the gradient as it is weighed. */
function adamW (gradient: (theta: number) => number, from: number): number {
  let [theta, first, second] = [from, 0, 0]
  for (let step = 1; step <= 4; step++) {
    const g = gradient(theta)
    first = 0.9 * first + 0.1 * g
    second = 0.999 * second + 0.001 * g ** 2
    theta -= 1e-3 * (first / (1 - 0.9 ** step)) / (Math.sqrt(second / (1 - 0.999 ** step)) + 1e-8)
  }
  return theta
}

describe('the robust factor', () => {
  it('is that of the specification for four sites', () => {
    const factors = factorsOf([0.2, 0.3, 0.5, 0.9].map((loss) => ({ mass: 20, loss })), 0.5)
    const expected = [0.493905, 0.603257, 0.899954, 2.002884]
    factors.forEach((factor, i) => { expect(factor).to.be.closeTo(expected[i]!, 1e-6) })
    expect(factors.reduce((sum, each) => sum + each, 0) / 4).to.be.closeTo(1, 1e-9)
  })

  it('leaves the mean by mass as it is without end of μ, alike losses, and a site alone', () => {
    fc.assert(fc.property(losses, (sites) => {
      for (const factor of factorsOf(sites, 1e9)) expect(factor).to.be.closeTo(1, 1e-6)
      for (const factor of factorsOf(sites.map(({ mass }) => ({ mass, loss: 0.4 })), 0.1)) expect(factor).to.be.closeTo(1, 1e-9)
      expect(robustFactor(sites[0]!, [], { mu: 0.01, ...BOUNDS })).to.equal(1)
    }))
  })

  it('does not hang on the order of sites, stays within its bounds, and within those of all federations', () => {
    fc.assert(fc.property(losses, fc.double({ min: 1e-4, max: 10, noNaN: true }), (sites, mu) => {
      const forth = factorsOf(sites, mu)
      const back = factorsOf(sites.toReversed(), mu).toReversed()
      forth.forEach((factor, i) => {
        expect(factor).to.be.closeTo(back[i]!, 1e-9)
        expect(factor).to.be.within(1 / 4, 4)
      })
      const [own, ...others] = sites
      expect(robustFactor(own!, others, { mu, least: 0, most: 1e6 })).to.be.within(1 / 4, 4)
    }))
  })

  it('counts a site of which nothing is known as the median of the others', () => {
    const [a, b] = [{ mass: 2, loss: 0.9 }, { mass: 4, loss: 0.1 }]
    const same = robustFactor(a, [b, { mass: 3, loss: 0.5 }], { mu: 0.5, ...BOUNDS })
    expect(robustFactor(a, [b, undefined], { mu: 0.5, ...BOUNDS })).to.be.closeTo(same, 1e-12)
  })

  it('makes rounds of plain descent end where the KL-robust mean is least', () => {
    const end = fixedPoint((theta, i, weight) => weight * -0.05 * (theta - QUADRATIC.centres[i]!))
    expect(end).to.be.closeTo(robustMinimum(), 1e-4)
    expect(Math.abs(end - -0.15), 'apart from the mean by mass').to.be.above(0.05)
  })

  it('would not do so as a weight of the loss, to which AdamW is blind: hence the landing', () => {
    const end = fixedPoint((theta, i, weight) => adamW((at) => weight * (at - QUADRATIC.centres[i]!), theta) - theta)
    expect(Math.abs(end - robustMinimum())).to.be.above(0.05)
  })
})
