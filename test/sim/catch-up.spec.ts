import { expect } from 'chai'
import { BOUNDARIES, createSite, runExchange, type SimulatedSite } from './site.ts'

/** One far behind with x of its own, one that went on without it. */
function apart (): [late: SimulatedSite, ahead: SimulatedSite] {
  return [
    createSite('a', Float32Array.of(5, -5, 0), { round: 1, mass: 7 }),
    createSite('b', Float32Array.of(1, 2, 4), { round: 9, mass: 3 })
  ]
}

describe('a site that fell far behind', () => {
  it('is refused as stale, and catches up: the partner\'s x and round are its own, and nothing changed at the partner', async () => {
    const [late, ahead] = apart()
    expect(await runExchange(late, ahead)).to.deep.equal({ refused: 'STALE' })
    const before = ahead.averager.snapshot()
    expect(await runExchange(late, ahead, { catchUp: true })).not.to.have.property('refused')
    expect([late.averager.values, late.averager.round]).to.deep.equal([before, 9])
    expect([ahead.averager.values, ahead.averager.round]).to.deep.equal([before, 9])
    expect(await runExchange(late, ahead)).not.to.have.property('refused')
  })

  it('keeps what it trains meanwhile, and is not clipped, nor taken for a liar', async () => {
    const late = createSite('a', Float32Array.of(500, 0, 0), { round: 0, settings: { clipRadius: 1 } })
    const ahead = createSite('b', Float32Array.of(1, 2, 4), { round: 9, settings: { clipRadius: 1 } })
    const result = await runExchange(late, ahead, {
      catchUp: true,
      before: (boundary) => {
        if (boundary === 'commit') late.averager.land(Float32Array.of(0, 0, 0), Float32Array.of(0, 0, 0.5), 1)
      }
    })
    expect(late.averager.values).to.deep.equal(Float32Array.of(1, 2, 4.5))
    expect(result).to.nested.include({ 'initiator.clipped': false, 'initiator.excess': 0, 'responder.excess': 0 })
    expect(ahead.averager.clipRadius).to.equal(1)
  })

  for (const loseAt of BOUNDARIES) {
    it(`stays as it was when everything is lost from "${loseAt}" on, with no doubt left`, async () => {
      const [late, ahead] = apart()
      await runExchange(late, ahead, { catchUp: true, loseAt })
      expect([late.averager.values, late.averager.round, late.averager.inDoubt]).to.deep.equal([Float32Array.of(5, -5, 0), 1, 0])
      expect(ahead.averager.values).to.deep.equal(Float32Array.of(1, 2, 4))
      expect(await runExchange(late, ahead, { catchUp: true })).not.to.have.property('refused')
      expect(late.averager.values).to.deep.equal(Float32Array.of(1, 2, 4))
    })
  }

  it('cannot catch up with a site that is behind it, and two without mass have nothing to say to each other', async () => {
    const [late, ahead] = apart()
    expect(await runExchange(ahead, late, { catchUp: true })).to.deep.equal({ refused: 'STALE' })
    expect([late.averager.round, ahead.averager.round]).to.deep.equal([1, 9])
  })
})
