import { expect } from 'chai'
import fc from 'fast-check'
import { gaussianDelta, gaussianEpsilon, gaussianMu } from '../../../src/privacy/gaussian.ts'
import { mechanismOf } from '../../../src/privacy/mechanism.ts'
import { logTail } from '../../../src/privacy/normal-tail.ts'
import { ORDERS, sampledDivergence, sampledEpsilon } from '../../../src/privacy/sampled-gaussian.ts'
import { epsilonOf, summed, type Spending } from '../../../src/privacy/spending.ts'

/** The best of whole orders alone, as the figures of reference were computed. */
function wholeOrders (divergence: readonly number[], delta: number): { epsilon: number, order: number } {
  return sampledEpsilon(divergence.map((value, i) => Number.isInteger(ORDERS[i]!) ? value : Infinity), delta)
}

describe('logarithm of the normal tail', () => {
  // By mpmath with 40 digits.
  for (const [x, expected] of [
    [-9, -1.12858840595384e-19], [-1, -0.17275377902345], [0, -0.693147180559945], [0.5, -1.17591176159362], [1.999, -3.78081156099976],
    [2, -3.78318433368203], [5, -15.0649983939887], [38, -726.55721601882], [100, -5005.5242086942]
  ] as const) {
    it(`at ${x} is ${expected}`, () => { expect(logTail(x) / expected).to.be.closeTo(1, 1e-12) })
  }
})

describe('the exact accountant of the Gaussian mechanism', () => {
  for (const [noise, rounds, exact, renyi, order] of [
    [1, 1, '4.3772', '4.7527', 5],
    [5, 24, '4.2750', '4.6419', 6],
    [10, 24, '1.9482', '2.1180', 10],
    [20, 24, '0.9058', '0.9901', 18]
  ] as const) {
    it(`of noise ${noise} in ${rounds} rounds finds ${exact}, and Rényi's less exactly ${renyi} at order ${order}`, () => {
      expect(gaussianEpsilon(gaussianMu(noise, rounds), 1e-5).toFixed(4)).to.equal(exact)
      const found = wholeOrders(sampledDivergence({ rate: 1, noise, steps: rounds }), 1e-5)
      expect([found.epsilon.toFixed(4), found.order]).to.deep.equal([renyi, order])
      expect(epsilonOf([{ unit: 'site', rate: 1, noise, steps: rounds }], 1e-5).toFixed(4)).to.equal(exact)
    })
  }

  it('inverts itself, for any noise and δ', () => {
    const [anyMu, anyDelta] = [fc.double({ min: 0.01, max: 30, noNaN: true }), fc.double({ min: 1e-12, max: 0.01, noNaN: true })]
    fc.assert(fc.property(anyMu, anyDelta, (mu, delta) => {
      const epsilon = gaussianEpsilon(mu, delta)
      expect(gaussianDelta(mu, epsilon)).to.be.at.most(delta)
      if (epsilon > 0) expect(gaussianDelta(mu, epsilon * (1 - 1e-6))).to.be.above(delta)
    }))
  })

  for (const [epsilon, noise] of [[1, '18.28'], [2, '9.77'], [4, '5.30'], [8, '2.94'], [16, '1.69']] as const) {
    it(`finds noise ${noise} for epsilon ${epsilon} over 24 rounds, which then cost no more`, () => {
      const found = mechanismOf({ privacy: { unit: 'site', epsilon, delta: 1e-5, clip: 1 }, training: { rounds: 24 } })!
      expect(found.noise.toFixed(2)).to.equal(noise)
      expect(epsilonOf([{ unit: 'site', rate: 1, noise: found.noise, steps: 24 }], 1e-5)).to.be.at.most(epsilon)
    })
  }
})

describe('the accountant of the sampled Gaussian mechanism', () => {
  it('finds what Opacus documents', () => {
    const [one, other] = [{ rate: 1e-5, noise: 1, steps: 10 }, { rate: 1e-4, noise: 3, steps: 4 }].map(sampledDivergence)
    const { epsilon, order } = sampledEpsilon(one!.map((value, i) => value + other![i]!), 1e-5)
    expect([epsilon.toFixed(4), order]).to.deep.equal(['0.3363', 23])
  })

  // By mpmath with 30 digits at these orders; dp-accounting 0.6.0 has 2.1014 and 4.1006, whose series is good for three digits there.
  // pld: the exact ε of its privacy loss distributions, which a bound must never fall below.
  for (const [rate, noise, steps, delta, expected, pld] of [
    [0.01, 1, 1_000, 1e-5, '2.101365', 1.8282], [0.02, 1, 1_200, 1e-4, '4.100324', 3.6486], [0.1, 1, 240, 1e-3, '9.072412', 7.9069],
    [0.1, 2, 240, 1e-3, '2.937030', 2.5631], [0.1, 4, 240, 1e-3, '1.194665', 1.0333]
  ] as const) {
    it(`finds ${expected} for rate ${rate}, noise ${noise} and ${steps} steps`, () => {
      const epsilon = epsilonOf([{ unit: 'patient', rate, noise, steps }], delta)
      expect(epsilon.toFixed(6)).to.equal(expected)
      expect(epsilon).to.be.within(pld, 1.18 * pld)
    })
  }

  it('sums and integrates to the same', () => {
    for (const [rate, noise] of [[0.001, 0.7], [0.1, 1], [0.5, 4], [0.9, 30]] as const) {
      const divergence = sampledDivergence({ rate, noise, steps: 1 })
      const at = (order: number): number => divergence[ORDERS.indexOf(order)]!
      // (α − 1)·D is convex in α: an integral between two sums lies below their line, and above those that they continue.
      for (const order of [2, 5, 9]) {
        const moment = (each: number): number => (each - 1) * at(each)
        expect(moment(order + 0.5)).to.be.below((moment(order) + moment(order + 1)) / 2)
        expect(moment(order + 0.5)).to.be.above(moment(order) + (moment(order) - moment(order - 0.1)) * 5 - 1e-9)
      }
    }
  })
})

describe('spending', () => {
  const kind = fc.record({
    unit: fc.constantFrom('site' as const, 'patient' as const),
    noise: fc.double({ min: 0.5, max: 50, noNaN: true }),
    rate: fc.constantFrom(0.01, 0.1, 1),
    steps: fc.integer({ min: 1, max: 500 })
  }).map((each): Spending => each.unit === 'site' ? { ...each, rate: 1 } : each)
  const delta = fc.constantFrom(1e-3, 1e-5, 1e-8)

  it('costs more with every release, with a higher rate and with less noise', () => {
    fc.assert(fc.property(fc.array(kind, { maxLength: 3 }), kind, delta, (before, next, atDelta) => {
      const cost = (last: Spending): number => epsilonOf([...before, last], atDelta)
      expect(cost(next)).to.be.at.least(epsilonOf(before, atDelta) * (1 - 1e-12))
      expect(cost({ ...next, steps: next.steps + 1 })).to.be.at.least(cost(next))
      expect(cost({ ...next, noise: next.noise / 1.5 })).to.be.at.least(cost(next))
      if (next.unit === 'patient') expect(cost({ ...next, rate: 1 })).to.be.at.least(cost(next) * (1 - 1e-9))
    }), { numRuns: 15 })
  })

  it('costs the same in any order, and summed up', () => {
    fc.assert(fc.property(fc.array(kind, { maxLength: 4 }), delta, (spent, atDelta) => {
      const epsilon = epsilonOf(spent, atDelta)
      expect(epsilonOf(spent.toReversed(), atDelta)).to.be.closeTo(epsilon, 1e-9 * (1 + epsilon))
      expect(epsilonOf(summed([...spent.slice(1), ...spent.slice(0, 1)]), atDelta)).to.be.closeTo(epsilon, 1e-9 * (1 + epsilon))
    }), { numRuns: 15 })
  })

  it('has no noise that is enough for what nothing is enough for', () => {
    const privacy = { unit: 'patient', epsilon: 1e-4, delta: 1e-12, clip: 1, rate: 1 } as const
    expect(() => mechanismOf({ privacy, training: { rounds: 1_000, stepsPerRound: 1_000 } })).to.throw(/no noise keeps 1000 rounds within/)
  })
})
