import { expect } from 'chai'
import fc from 'fast-check'
import { ProtocolError, SchemaError } from '../../src/errors.ts'
import { createSite, runExchange, seeded, type SimulatedSite } from './site.ts'

const SIZE = 5
const ROUNDS = 50
const vector = fc.float32Array({ minLength: SIZE, maxLength: SIZE, min: -100, max: 100, noNaN: true })

function train ({ averager }: SimulatedSite, step: number): void {
  const before = averager.snapshot()
  averager.land(before, before.map((value) => value + step), averager.round + 1, 1)
}

/** The others' history, exchange by exchange, with a reader among them or without one. */
async function historyOf (starts: readonly Float32Array[], seed: number, reader?: SimulatedSite): Promise<SimulatedSite[]> {
  const random = seeded(seed)
  const sites = starts.map((values, i) => createSite(`site-${i}`, values, { mass: 1 + 10 * random(), settings: { clipRadius: 50 } }))
  for (let turn = 0; turn < ROUNDS; turn++) {
    const first = Math.floor(random() * sites.length)
    const second = (first + 1 + Math.floor(random() * (sites.length - 1))) % sites.length
    if (turn % sites.length === 0) for (const site of sites) train(site, random())
    await runExchange(sites[first]!, sites[second]!)
    if (reader != null) await runExchange(reader, sites[turn % sites.length]!, { upTo: sites[0]!.averager.round })
  }
  return sites
}

describe('a site without labels', () => {
  it('leaves every other x as it would be without it, number for number, and their steps and rounds too', async () => {
    await fc.assert(fc.asyncProperty(fc.array(vector, { minLength: 2, maxLength: 4 }), vector, fc.nat(), async (starts, own, seed) => {
      const reader = createSite('reader', own, { reads: true })
      const [without, beside] = [await historyOf(starts, seed), await historyOf(starts, seed, reader)]
      const said = ({ averager: { values, round, steps, mass } }: SimulatedSite): unknown => ({ values: [...values], round, steps, mass })
      expect(beside.map(said)).to.deep.equal(without.map(said))
      expect(reader.averager.exchanges).to.equal(ROUNDS)
      expect(reader.averager.steps).to.deep.equal({ trained: 0, arrived: 0, lost: 0 })
    }), { numRuns: 20 })
  })

  it("takes a partner's x and round over, which tells the partner of no arrival", async () => {
    const [reader, site] = [createSite('reader', new Float32Array(SIZE), { reads: true }), createSite('site', new Float32Array(SIZE))]
    train(site, 2)
    const done = await runExchange(reader, site, { upTo: 1 })
    if (done == null || 'refused' in done) throw new Error('it did not happen')
    expect([...reader.averager.values]).to.deep.equal([...site.averager.values])
    expect([reader.averager.round, site.averager.steps.arrived]).to.deep.equal([1, 0])
    expect([done.responder.isRead, done.initiator.isRead]).to.deep.equal([true, true])
    expect([done.responder.steps, done.initiator.partnerSteps]).to.deep.equal([0, 0])
  })

  it('takes over no round that the others are not in, and answers no offer', async () => {
    const reader = createSite('reader', new Float32Array(SIZE), { reads: true })
    const site = createSite('site', new Float32Array(SIZE), { round: 9 })
    await runExchange(reader, site, { upTo: 4 })
    expect(reader.averager.round).to.equal(4)
    expect(await runExchange(site, reader)).to.deep.equal({ refused: 'PAUSED' })
    const near = createSite('near', new Float32Array(SIZE), { round: 4 })
    expect(await runExchange(near, reader)).to.deep.equal({ refused: 'PAUSED' })
  })

  it('is moved by one that is far off no farther than the others made it expect', async () => {
    const reader = createSite('reader', new Float32Array(SIZE), { reads: true })
    const others = Array.from({ length: 4 }, (_, i) => createSite(`site-${i}`, new Float32Array(SIZE).fill(i / 10)))
    for (let turn = 0; turn < 80; turn++) await runExchange(reader, others[turn % others.length]!, { upTo: 0 })
    const liar = createSite('liar', new Float32Array(SIZE).fill(1e4))
    await runExchange(reader, liar, { upTo: 0 })
    for (const value of reader.averager.values) expect(value).to.be.within(-3, 3)
  })

  it('has no mass, and whoever says both is refused', async () => {
    expect(() => createSite('x', new Float32Array(SIZE), { mass: 0 })).to.throw(SchemaError, 'the mass 0 is not in')
    const site = createSite('site', new Float32Array(SIZE))
    const { offer } = createSite('reader', new Float32Array(SIZE), { reads: true }).averager.offer('site', 'f'.repeat(32))
    expect(offer).to.include({ mass: 0, reads: true })
    expect(() => site.averager.answer({ self: 'site', partner: 'reader', offer: { ...offer, mass: 1 } }))
      .to.throw(ProtocolError, 'the partner states the mass 1, and that it only reads')
  })
})
