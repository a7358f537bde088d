import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { ProtocolError, RefusedError, SchemaError } from '../../../src/errors.ts'
import type { AveragerSettings } from '../../../src/gossip-aggregation/averager-types.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { massOf } from '../../../src/gossip-aggregation/mass.ts'
import type { Offer } from '../../../src/gossip-aggregation/exchange/exchange-types.ts'
import type { Exchange } from '../../../src/gossip-aggregation/exchange/exchange.ts'

const settings: AveragerSettings = { codec: 'f32', maxMass: 100, clipRadius: 10, normBound: 1000, staleness: 3 }
const schema = createSchema({ model: 'm', baseHash: 'b', tensors: [{ name: 'x', shape: [3], role: 'lora' }] })

let ids = 0
function nextId (): string {
  return (++ids).toString(16).padStart(32, '0')
}

/** float32 numbers as the partner codes them. */
function codes (...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer)
}

function averager (
  values: number[] = [0, 0, 0],
  init: { round?: number, mass?: number, clipRadius?: number, normBound?: number } = {}
): Averager {
  const { round = 5, mass = 1, ...others } = init
  return new Averager({ schema, values: Float32Array.from(values), round, mass, settings: { ...settings, ...others } })
}

function offerOf (site: Averager): Offer {
  const { exchange, offer } = site.offer('x', nextId())
  exchange.abort()
  return offer
}

/** Both ends of an exchange that is ready to stream. */
function opened (a: Averager, b: Averager): [Exchange, Exchange] {
  const { exchange, offer } = a.offer('b', nextId())
  const answer = b.answer({ self: 'b', partner: 'a', offer })
  if (!('exchange' in answer)) throw new Error(answer.refused)
  exchange.open(answer.exchange.terms, answer.codec)
  for (const side of [exchange, answer.exchange]) Array.from(side.prepare())
  return [exchange, answer.exchange]
}

async function complete (a: Averager, b: Averager): Promise<void> {
  const [one, other] = opened(a, b)
  one.receive(other.outgoing(0))
  other.receive(one.outgoing(0))
  one.verify()
  other.verify()
  await one.committing()
  await other.commit()
  await one.commit()
}

describe('Averager', () => {
  it('owns a copy of its values and gives out copies', () => {
    const values = Float32Array.of(1, 2, 3)
    const site = new Averager({ schema, values, round: 0, mass: 1, settings })
    values[0] = 9
    site.snapshot()[1] = 9
    expect([...site.values]).to.deep.equal([1, 2, 3])
  })

  it('refuses to exist with the wrong count, with numbers that are not finite, or with a mass outside the federation\'s cap', () => {
    expect(() => averager([1, 2])).to.throw(SchemaError)
    expect(() => averager([1, NaN, 2])).to.throw(SchemaError)
    for (const mass of [0, -1, NaN, 101]) expect(() => averager([0, 0, 0], { mass })).to.throw(SchemaError)
  })

  it('takes training as a difference, or not at all', () => {
    const site = averager([1, 1, 1])
    site.land(Float32Array.of(0, 0, 0), Float32Array.of(1, 2, 3), 6)
    expect([[...site.values], site.round]).to.deep.equal([[2, 3, 4], 6])
    expect(() => { site.land(Float32Array.of(0, 0, 0), Float32Array.of(1, NaN, 3), 7) }).to.throw(SchemaError)
    expect(() => { site.land(Float32Array.of(0, 0), Float32Array.of(1, 2), 7) }).to.throw(SchemaError)
    expect([[...site.values], site.round]).to.deep.equal([[2, 3, 4], 6])
  })

  it('counts images up to the cap, or all sites alike', () => {
    expect(massOf(7, { weighting: 'images', maxMass: 10 })).to.equal(7)
    expect(massOf(70, { weighting: 'images', maxMass: 10 })).to.equal(10)
    expect(massOf(70, { weighting: 'uniform', maxMass: 10 })).to.equal(1)
  })

  it('averages with the masses as stated and counts at both ends', async () => {
    const [a, b] = [averager([4, 0, -4], { mass: 3 }), averager([0, 4, 0])]
    await complete(a, b)
    expect([...a.values]).to.deep.equal([3, 1, -3])
    expect([...b.values]).to.deep.equal([3, 1, -3])
    expect([a.exchanges, b.exchanges, a.busy, b.busy]).to.deep.equal([1, 1, false, false])
  })

  it('clips the difference to the smaller of both radii, at both ends alike', async () => {
    const [a, b] = [averager([0, 0, 0], { clipRadius: 4 }), averager([0, 3, 0], { clipRadius: 1 })]
    await complete(a, b)
    expect([...a.values]).to.deep.equal([0, 0.5, 0])
    expect([...b.values]).to.deep.equal([0, 2.5, 0])
  })

  it('refuses a second exchange on either side while one is open', () => {
    const [a, b, c] = [averager(), averager(), averager()]
    const [one] = opened(a, b)
    expect(() => a.offer('c', nextId())).to.throw(RefusedError).with.property('reason', 'BUSY_HERE')
    expect(b.answer({ self: 'b', partner: 'c', offer: offerOf(c) })).to.deep.equal({ refused: 'BUSY' })
    expect(a.answer({ self: 'a', partner: 'b', offer: offerOf(c) })).to.deep.equal({ refused: 'BUSY' })
    one.abort()
    a.offer('c', nextId()).exchange.abort()
    expect(a.busy).to.equal(false)
  })

  it('lets the offer of the lower peer id yield when two cross', () => {
    const [a, b] = [averager(), averager()]
    const fromA = a.offer('b', nextId())
    const fromB = b.offer('a', nextId())
    expect(b.answer({ self: 'b', partner: 'a', offer: fromA.offer })).to.deep.equal({ refused: 'BUSY' })
    const answer = a.answer({ self: 'a', partner: 'b', offer: fromB.offer })
    expect(answer).to.have.property('exchange').with.property('role', 'responder')
    expect(fromA.exchange.phase).to.equal('closed')
    expect(fromB.exchange.phase).to.equal('offered')
  })

  it('does not let an offer to somebody else yield', () => {
    const a = averager()
    a.offer('c', nextId())
    expect(a.answer({ self: 'a', partner: 'b', offer: offerOf(averager()) })).to.deep.equal({ refused: 'BUSY' })
  })

  it('refuses another schema, an unknown codec, more than S rounds apart, and everything while paused', () => {
    const offer = offerOf(averager())
    const answer = (site: Averager, changed: Partial<Offer>): unknown => {
      const result = site.answer({ self: 'a', partner: 'b', offer: { ...offer, ...changed } })
      if ('exchange' in result) result.exchange.abort()
      return 'exchange' in result ? 'accepted' : result.refused
    }
    const site = averager()
    expect(answer(site, { schemaHash: '0' })).to.equal('SCHEMA')
    expect(answer(site, { codecs: ['q8'] })).to.equal('SCHEMA')
    expect([1, 2, 8, 9].map((round) => answer(site, { round }))).to.deep.equal(['STALE', 'accepted', 'accepted', 'STALE'])
    site.willCatchUp = (round, partner) => partner == null && round === 5
    expect([1, 9].map((round) => answer(site, { round })), 'who will not catch up').to.deep.equal(['accepted', 'STALE'])
    site.paused = true
    expect(answer(site, {})).to.equal('PAUSED')
    expect(() => site.offer('b', nextId())).to.throw(RefusedError).with.property('reason', 'PAUSED_HERE')
  })

  it('treats terms that no honest site states as a broken protocol', () => {
    const site = averager()
    const offer = offerOf(averager())
    const impossible: Partial<Offer>[] = [
      { mass: -1 },
      { mass: 101 },
      { mass: NaN },
      { mass: Infinity },
      { round: -1 },
      { round: 0.5 },
      { clipRadius: 0 },
      { clipRadius: NaN },
      { clipRadius: Infinity }
    ]
    for (const changed of impossible) {
      expect(() => site.answer({ self: 'a', partner: 'b', offer: { ...offer, ...changed } }), JSON.stringify(changed)).to.throw(
        ProtocolError
      )
    }
    const { exchange } = site.offer('b', nextId())
    expect(() => { exchange.open({ round: 5, mass: 101, clipRadius: 1 }, 'f32') }).to.throw(ProtocolError)
    expect(() => { exchange.open({ round: 9, mass: 1, clipRadius: 1 }, 'f32') }).to.throw(RefusedError)
  })
})

describe('Averager, of exchanges whose end was not heard of', () => {
  /** Committed at b; a, which initiated it, does not hear. */
  async function halfDone (a: Averager, b: Averager): Promise<string> {
    const [one, other] = opened(a, b)
    one.receive(other.outgoing(0))
    other.receive(one.outgoing(0))
    one.verify()
    other.verify()
    await one.committing()
    await other.commit()
    one.abort()
    return one.id
  }

  it('keeps at most one in doubt per partner, applies it once, however often it is settled', async () => {
    const [a, b] = [averager([0, 0, 0]), averager([2, 2, 2])]
    const id = await halfDone(a, b)
    expect([[...a.doubts], a.inDoubt, a.isUnsettled(id)]).to.deep.equal([[['b', id]], 1, true])
    expect(() => a.offer('b', nextId())).to.throw(RefusedError).with.property('reason', 'IN_DOUBT_HERE')
    expect(a.answer({ self: 'a', partner: 'b', offer: offerOf(averager()) })).to.deep.equal({ refused: 'BUSY' })
    expect(await b.decide(id, 'a')).to.equal('committed')
    await Promise.all([a.settle(id, 'committed'), a.settle(id, 'committed')])
    await a.settle(id, 'committed')
    expect([[...a.values], a.inDoubt, a.isUnsettled(id)]).to.deep.equal([[1, 1, 1], 0, false])
  })

  it('aborts what is open when its initiator asks, and answers aborted for what it does not know, keeping nothing', async () => {
    const [a, b] = [averager([0, 0, 0]), averager([2, 2, 2])]
    const [one, other] = opened(a, b)
    expect(await b.decide(one.id, 'somebody else')).to.equal('aborted')
    expect(other.phase).to.equal('open')
    expect(await b.decide(one.id, 'a')).to.equal('aborted')
    expect([other.phase, b.busy, b.unacknowledged('a')]).to.deep.equal(['closed', false, []])
    for (let i = 0; i < 1_000; i++) await b.decide(nextId(), 'a')
    expect(b.unacknowledged('a')).to.deep.equal([])
  })

  it('forgets with an acknowledged exchange those decided before it, and none after', async () => {
    const b = averager([2, 2, 2])
    const decided: string[] = []
    for (let i = 0; i < 3; i++) decided.push(await halfDone(averager([0, 0, 0]), b))
    await b.acknowledged(decided[1]!, 'somebody else')
    expect(b.unacknowledged('a')).to.deep.equal(decided)
    await b.acknowledged(decided[1]!, 'a')
    expect(b.unacknowledged('a')).to.deep.equal([decided[2]])
  })

  it('refuses an initiator that never says what it settled, and the id of an exchange that there was', async () => {
    const b = averager([2, 2, 2])
    const first = await halfDone(averager([0, 0, 0]), b)
    const offer = { ...offerOf(averager()), exchangeId: first }
    expect(() => b.answer({ self: 'b', partner: 'a', offer })).to.throw(ProtocolError, /before/)
    for (let i = 0; i < 63; i++) await halfDone(averager([0, 0, 0]), b)
    expect(b.answer({ self: 'b', partner: 'a', offer: offerOf(averager()) })).to.deep.equal({ refused: 'RATE_LIMITED' })
    await b.acknowledged(b.unacknowledged('a').at(-1)!, 'a')
    expect(b.answer({ self: 'b', partner: 'a', offer: offerOf(averager()) })).to.have.property('exchange')
  })
})

describe('Exchange', () => {
  it('names numbers that are not finite, too large, too many or too few, and has changed nothing', () => {
    const [a, b] = [averager([1, 2, 3]), averager([4, 5, 6])]
    const faults: [RegExp, (side: Exchange) => void][] = [
      [/not finite/, (side) => { side.receive(codes(1, NaN, 1)) }],
      [/not finite/, (side) => { side.receive(codes(1, -Infinity, 1)) }],
      [/norm bound/, (side) => { side.receive(codes(900, 900, 900)); side.verify() }],
      [/norm bound/, (side) => { side.receive(codes(1e9, 0, 0)) }],
      [/16 bytes where the schema says 12/, (side) => { side.receive(codes(1, 2, 3, 4)) }],
      [/more than the schema's 3/, (side) => { side.receive(codes(1, 2, 3)); side.receive(codes(1)) }],
      [/sent 0 of the schema's 1/, (side) => { side.verify() }]
    ]
    for (const [message, fault] of faults) {
      const [one, other] = opened(a, b)
      expect(() => { fault(other) }).to.throw(ProtocolError, message)
      one.abort()
      other.abort()
    }
    expect([[...a.values], [...b.values], a.exchanges, b.exchanges]).to.deep.equal([[1, 2, 3], [4, 5, 6], 0, 0])
  })

  it('cannot be committed out of turn, nor twice, nor by the other role\'s step', async () => {
    const [a, b] = [averager([1, 2, 3]), averager([4, 5, 6])]
    const [one, other] = opened(a, b)
    const refused = async (step: () => Promise<unknown>): Promise<void> => {
      expect(await step().catch((error: unknown) => error)).to.be.instanceOf(ProtocolError)
    }
    await refused(async () => await other.commit())
    one.receive(other.outgoing(0))
    other.receive(one.outgoing(0))
    await refused(async () => await other.commit())
    one.verify()
    other.verify()
    await refused(async () => await one.commit())
    await refused(async () => { await other.committing() })
    await other.commit()
    await refused(async () => await other.commit())
    await one.committing()
    await one.commit()
    await refused(async () => await one.commit())
    one.abort()
    expect([a.exchanges, a.inDoubt, b.exchanges]).to.deep.equal([1, 0, 1])
  })

  it('keeps what is under way as it passed the release gate, whatever lands meanwhile or once the exchange was given up', async () => {
    const [a, b] = [averager([1, 2, 3]), averager([4, 5, 6])]
    const land = (): void => { a.land(Float32Array.of(0, 0, 0), Float32Array.of(1, 1, 1), 5) }
    const [given, other] = opened(a, b)
    const sent = given.outgoing(0)
    given.abort()
    other.abort()
    land()
    expect(sent).to.deep.equal(codes(1, 2, 3))
    const [one, two] = opened(a, b)
    const second = one.outgoing(0)
    land()
    expect(second).to.deep.equal(codes(2, 3, 4))
    one.receive(two.outgoing(0))
    two.receive(second)
    one.verify()
    two.verify()
    await one.committing()
    await two.commit()
    await one.commit()
    expect([[...a.values], [...b.values]]).to.deep.equal([[4, 5, 6], [3, 4, 5]])
  })

  it('streams nothing before it has passed the release gate', () => {
    const site = averager([1, 2, 3], { normBound: 1 })
    const { exchange } = site.offer('b', nextId())
    exchange.open({ round: 5, mass: 1, clipRadius: 1 }, 'f32')
    expect(() => exchange.outgoing(0)).to.throw(ProtocolError)
    expect(() => Array.from(exchange.prepare())).to.throw(SchemaError, /norm/)
    expect(() => exchange.outgoing(0)).to.throw(ProtocolError)
  })
})
