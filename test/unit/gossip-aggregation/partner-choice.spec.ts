import { expect } from 'chai'
import { BackOff } from '../../../src/gossip-aggregation/back-off.ts'
import { nextReady, randomPartner } from '../../../src/gossip-aggregation/partner-choice.ts'
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
