import { expect } from 'chai'
import { BackOff } from '../../../src/gossip-aggregation/back-off.ts'
import {
  agreedPartner,
  agreedSteps,
  choosePartner,
  nextReady,
  randomPartner,
  turnsPerInitiation
} from '../../../src/gossip-aggregation/partner-choice.ts'
import { seeded } from '../../sim/site.ts'

const candidates = ['a', 'b', 'c', 'd']

describe('random partner', () => {
  it('is uniform over those that are ready', () => {
    const random = seeded(1)
    const backOff = new BackOff()
    backOff.refused('d', 0, 10)
    const counts = new Map<string | undefined, number>()
    for (let i = 0; i < 3000; i++) {
      const partner = randomPartner({ candidates, backOff, now: 9, random })
      counts.set(partner, (counts.get(partner) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).to.deep.equal(['a', 'b', 'c'])
    for (const count of counts.values()) expect(count).to.be.within(900, 1100)
  })

  it('is drawn by weight, where there are weights, also of many of whom few are asked', () => {
    const weights: Readonly<Record<string, number>> = { a: 1, b: 0.5, c: 0.1, d: 0 }
    const random = seeded(2)
    const many = [...candidates, ...Array.from({ length: 100 }, (_, i) => `far-${i}`)]
    for (const from of [candidates, many]) {
      const counts = new Map<string, number>()
      for (let i = 0; i < 3200; i++) {
        const partner = randomPartner({ candidates: from, backOff: new BackOff(), now: 9, random, weight: (id) => weights[id] ?? 0 })!
        counts.set(partner, (counts.get(partner) ?? 0) + 1)
      }
      for (const [id, weight] of Object.entries(weights)) expect((counts.get(id) ?? 0) / 2000, id).to.be.closeTo(weight, 0.05)
      expect([...counts.keys()].sort()).to.deep.equal(['a', 'b', 'c'])
    }
  })

  it('is nobody while all are to be left alone, and says when that ends', () => {
    const backOff = new BackOff()
    expect(randomPartner({ candidates: [], backOff, now: 0, random: () => 0 })).to.equal(undefined)
    expect(nextReady({ candidates: [], backOff })).to.equal(undefined)
    candidates.forEach((id, index) => { backOff.refused(id, 100, 50 + index) })
    expect(randomPartner({ candidates, backOff, now: 149, random: () => 0 })).to.equal(undefined)
    expect(nextReady({ candidates, backOff })).to.equal(150)
    expect(randomPartner({ candidates, backOff, now: 150, random: () => 0 })).to.equal('a')
  })

  it('leaves a failing partner alone twice as long each time, up to a minute, until it succeeds', () => {
    const backOff = new BackOff()
    const waits = Array.from({ length: 9 }, () => { backOff.failed('a', 0); return backOff.readyAt('a') })
    expect(waits).to.deep.equal([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    backOff.succeeded('a', { excess: 0.5 })
    expect(backOff.readyAt('a')).to.equal(0)
    backOff.failed('a', 0)
    expect(backOff.readyAt('a')).to.equal(500)
  })

  it('believes no hint of more than a minute', () => {
    const backOff = new BackOff()
    backOff.refused('a', 0, 1e12)
    expect(backOff.readyAt('a')).to.equal(60_000)
  })

  it('takes a partner that was clipped three times running only when nobody else is there', () => {
    const backOff = new BackOff()
    for (let i = 0; i < 3; i++) backOff.succeeded('a', { excess: 2 })
    expect(backOff.isSuspect('a')).to.equal(true)
    expect(randomPartner({ candidates: ['a', 'b'], backOff, now: 0, random: () => 0 })).to.equal('b')
    expect(randomPartner({ candidates: ['a'], backOff, now: 0, random: () => 0 })).to.equal('a')
    backOff.succeeded('a', { excess: 0.5 })
    expect(backOff.isSuspect('a')).to.equal(false)
  })
})

describe('a partner that a site is even with', () => {
  const rules = ['random', 'exponential', 'farthest'] as const
  const view = { self: 'x', even: 'a', now: 0, random: () => 0, ring: ['a', 'x'], step: 0, distance: () => 1 }

  it('is not asked while another is there, or busy for a moment', () => {
    for (const rule of rules) {
      const backOff = new BackOff()
      expect(choosePartner(rule, { ...view, candidates: ['a', 'b'], backOff })).to.equal('b')
      backOff.refused('b', 0, 500)
      expect(choosePartner(rule, { ...view, candidates: ['a', 'b'], backOff })).to.equal(undefined)
    }
  })

  it('is asked where the others do not answer, are suspects or not there', () => {
    for (const rule of rules) {
      const backOff = new BackOff()
      expect(choosePartner(rule, { ...view, candidates: ['a'], backOff })).to.equal('a')
      backOff.failed('b', 0)
      expect(choosePartner(rule, { ...view, candidates: ['a', 'b'], backOff })).to.equal('a')
      for (let i = 0; i < 3; i++) backOff.succeeded('c', { excess: 2 })
      expect(choosePartner(rule, { ...view, candidates: ['a', 'b', 'c'], backOff })).to.equal('a')
    }
  })
})

describe('exponential partners', () => {
  const ring = Array.from({ length: 11 }, (_, index) => `site-${String(index).padStart(2, '0')}`)

  it('name each other in every agreed step, and meet in each dimension before a random step', () => {
    for (const self of ring) {
      const met = Array.from({ length: 5 }, (_, step) => agreedPartner({ self, ring, step }))
      expect(met[4]).to.equal(undefined)
      met.forEach((partner, step) => { if (partner != null) expect(agreedPartner({ self: partner, ring, step })).to.equal(self) })
      expect(agreedPartner({ self, ring, step: 5 })).to.equal(met[0])
      expect(new Set(met.filter((each) => each != null)).size).to.equal(met.filter((each) => each != null).length)
    }
    expect(agreedPartner({ self: 'site-00', ring, step: 3 })).to.equal('site-08')
    expect(agreedPartner({ self: 'site-03', ring, step: 3 })).to.equal(undefined)
  })

  it('are nobody for a site that is alone or not in the ring', () => {
    expect(agreedPartner({ self: 'a', ring: ['a'], step: 0 })).to.equal(undefined)
    expect(agreedPartner({ self: 'x', ring, step: 0 })).to.equal(undefined)
    expect(agreedPartner({ step: 0 })).to.equal(undefined)
  })

  it('give way to random ones while they are away, to be left alone, or suspect', () => {
    const choose = (others: readonly string[], backOff: BackOff): string | undefined =>
      choosePartner('exponential', { self: 'a', ring: ['a', 'b', 'c', 'd'], step: 0, candidates: others, backOff, now: 0, random: () => 0 })
    expect(choose(['c', 'b'], new BackOff())).to.equal('b')
    expect(choose(['c', 'd'], new BackOff())).to.equal('c')
    const resting = new BackOff()
    resting.refused('b', 0, 100)
    expect(choose(['c', 'b'], resting)).to.equal('c')
    const suspicious = new BackOff()
    for (let i = 0; i < 3; i++) suspicious.succeeded('b', { excess: 2 })
    expect(choose(['c', 'b'], suspicious)).to.equal('c')
  })

  it('are waited for in a sweep while they are busy for a moment, not when they do not answer', () => {
    const backOff = new BackOff()
    const view = { self: 'a', ring: ['a', 'b', 'c', 'd'], step: 0, candidates: ['b', 'c', 'd'], backOff, now: 0, random: () => 0.99 }
    backOff.refused('b', 0, 900)
    expect(choosePartner('exponential', { ...view, isPatient: true })).to.equal(undefined)
    expect(choosePartner('exponential', view)).to.equal('d')
    backOff.refused('b', 0, 1_100)
    expect(choosePartner('exponential', { ...view, isPatient: true })).to.equal('d')
    backOff.failed('b', 0)
    expect(choosePartner('exponential', { ...view, isPatient: true })).to.equal('d')
  })

  it('are, without a step, drawn among the half met longest ago, suspects left out', () => {
    const backOff = new BackOff()
    for (const id of ['d', 'c', 'b']) backOff.succeeded(id, { excess: 0.5 })
    const drawn = (random: number): string | undefined =>
      choosePartner('exponential', { self: 'x', candidates, backOff, now: 0, random: () => random })
    expect([drawn(0), drawn(0.99)]).to.deep.equal(['a', 'd'])
    for (let i = 0; i < 3; i++) backOff.succeeded('a', { excess: 2 })
    expect([drawn(0), drawn(0.99)]).to.deep.equal(['d', 'c'])
  })

  it('need ⌈log2 n⌉ agreed steps to hear of all', () => {
    expect([0, 1, 2, 3, 4, 5, 8, 9].map(agreedSteps)).to.deep.equal([0, 0, 1, 2, 2, 3, 3, 4])
  })

  it('get two turns for one initiation', () => {
    expect((['random', 'exponential', 'farthest'] as const).map(turnsPerInitiation)).to.deep.equal([1, 2, 1])
  })
})

describe('the farthest partner', () => {
  it('is the one with the largest distance that may be asked; random while none is known', () => {
    const backOff = new BackOff()
    const distances: Record<string, number> = { a: 1, b: 5, c: 3 }
    const view = { candidates, backOff, now: 0, random: () => 0.99, distance: (id: string) => distances[id] }
    expect(choosePartner('farthest', view)).to.equal('b')
    backOff.refused('b', 0, 10)
    expect(choosePartner('farthest', view)).to.equal('c')
    expect(choosePartner('farthest', { ...view, distance: () => undefined })).to.equal('d')
  })

  it('never is the site itself', () => {
    expect(
      choosePartner('farthest', {
        candidates: ['a', 'b'],
        self: 'a',
        backOff: new BackOff(),
        now: 0,
        random: () => 0,
        distance: (id) => id === 'a' ? 9 : 1
      })
    ).to.equal('b')
    expect(choosePartner('random', { candidates: ['a'], self: 'a', backOff: new BackOff(), now: 0, random: () => 0 })).to.equal(undefined)
  })
})

describe('what is remembered of partners', () => {
  it('is bounded: of 1,024 the one quiet longest is forgotten, suspects last', () => {
    const backOff = new BackOff()
    for (let i = 0; i < 2; i++) backOff.succeeded('liar', { excess: 11 })
    backOff.failed('quiet', 0)
    for (let i = 0; i < 1022; i++) backOff.failed(`site ${i}`, 0)
    expect(backOff.readyAt('quiet')).to.equal(500)
    backOff.failed('one more', 0)
    expect(backOff.readyAt('quiet')).to.equal(0)
    expect(backOff.readyAt('site 0')).to.equal(500)
    expect(backOff.suspects).to.deep.equal(['liar'])
  })

  it('names a partner after two differences beyond ten radii, or three beyond one', () => {
    const backOff = new BackOff()
    const after = (...excesses: number[]): boolean => {
      for (const excess of [0, ...excesses]) backOff.succeeded('a', { excess })
      return backOff.isSuspect('a')
    }
    expect(after(10.1)).to.equal(false)
    expect(after(10.1, 10.1)).to.equal(true)
    expect(after(2, 2)).to.equal(false)
    expect(after(2, 2, 2)).to.equal(true)
    expect(after(2, 2, 1, 2, 2)).to.equal(false)
  })
})
