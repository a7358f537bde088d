import { expect } from 'chai'
import { ProtocolError } from '../../src/errors.ts'
import { Averager } from '../../src/gossip-aggregation/averager.ts'
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

  it('takes no later round over than it believes, and states none that the federation does not have', async () => {
    const [late, ahead] = apart()
    await runExchange(late, ahead, { catchUp: true, upTo: 7 })
    expect([late.averager.values, late.averager.round]).to.deep.equal([ahead.averager.values, 7])
    const { schema, settings } = late.averager
    const poisoned = new Averager({ schema, settings, values: new Float32Array(3), mass: 1, round: 500_000, rounds: 12 })
    expect(poisoned.round, 'a checkpoint of before rounds were bounded').to.equal(12)
    const offer = { exchangeId: 'e'.repeat(32), schemaHash: schema.hash, codecs: ['f32'], want: 'f32', mass: 0, clipRadius: 1 }
    const answer = (): unknown => poisoned.answer({ self: 'a', partner: 'b', offer: { ...offer, round: 13 } })
    expect(answer).to.throw(ProtocolError, 'impossible round 13')
  })

  it('says as its partner does how much of that one\'s training it took whole: none where it was too far off, else all', async () => {
    for (const [clipRadius, carried] of [[1, 0], [1_000, 4]] as const) {
      const late = createSite('a', Float32Array.of(500, 0, 0), { round: 0, settings: { clipRadius } })
      const ahead = createSite('b', Float32Array.of(1, 2, 4), { round: 9, settings: { clipRadius: 1_000 } })
      ahead.averager.land(Float32Array.of(0, 0, 0), Float32Array.of(0, 0, 1), 10, 4)
      const result = await runExchange(late, ahead, { catchUp: true, upTo: 9 })
      expect(result).to.nested.include({ 'initiator.partnerSteps': carried, 'responder.steps': carried })
      expect(ahead.averager.steps).to.include({ trained: 4, arrived: carried })
    }
  })

  it('goes towards one that is farther off than the rounds between them explain, keeps its round, and harms nobody', async () => {
    const settings = { clipRadius: 1_000 }
    const late = createSite('a', Float32Array.of(0, 0, 0), { round: 1, settings })
    // Three partners whose distance it learns: its radius shrinks to three times that.
    for (let time = 0; time < 60; time++) {
      for (const id of ['b', 'c', 'd']) await runExchange(late, createSite(id, Float32Array.of(1, 0, 0), { round: 1, settings }))
    }
    const radius = late.averager.clipRadius
    expect(radius).to.be.below(4)
    const before = late.averager.snapshot()
    const liar = createSite('liar', Float32Array.of(0, 9_000, 0), { round: 6 })
    const result = await runExchange(late, liar, { catchUp: true, upTo: 6 })
    expect(result).to.nested.include({ 'initiator.clipped': true, 'initiator.excess': 0, 'responder.clipped': false })
    const moved = Math.hypot(...late.averager.values.map((each, index) => each - before[index]!))
    expect(moved).to.be.below(6 * radius)
    expect([late.averager.round, liar.averager.round, ...liar.averager.values]).to.deep.equal([1, 6, 0, 9_000, 0])
    const honest = createSite('honest', Float32Array.of(1, 4 * radius, 0), { round: 6 })
    await runExchange(late, honest, { catchUp: true, upTo: 6 })
    expect([late.averager.values, late.averager.round]).to.deep.equal([honest.averager.values, 6])
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
