import { expect } from 'chai'
import fc from 'fast-check'
import { Fate, MortalSite, type Fault } from './mortal-site.ts'
import { vectorSchema } from './site.ts'

const SIZE = 3
const FAULTS: readonly Fault[] = ['harmless', 'first', 'last', 'late']
/** More than a catch-up and a checkpoint have. */
const EVENTS = 24
/** What `MortalSite.train(1)` adds. */
const STEP = [1, 2, 3]
const SETTINGS = { codec: 'f32' as const, maxMass: 100, clipRadius: 1e6, normBound: 1e6, staleness: 3 }

function createSites (): [MortalSite, MortalSite] {
  const schema = vectorSchema(SIZE)
  const create = (id: string, value: number, mass: number, round: number): MortalSite =>
    new MortalSite(id, { schema, values: new Float32Array(SIZE).fill(value), round, mass, settings: SETTINGS })
  return [create('late', 4, 70, 1), create('ahead', -3, 5, 9)]
}

/** Until it is done: whoever is dead starts again, and nothing strikes any more. */
async function finish (late: MortalSite, ahead: MortalSite): Promise<void> {
  for (const site of [late, ahead]) {
    site.fate = new Fate()
    await site.restart()
  }
  for (const site of [late, ahead]) await site.receiveLate()
  expect(await late.exchange(ahead, { catchUp: true })).to.equal(true)
}

function expectOnTop (late: MortalSite, ahead: MortalSite, steps: number): void {
  const expected = ahead.averager.snapshot().map((value, index) => value + steps * STEP[index]!)
  late.averager.values.forEach((value, index) => { expect(value).to.be.closeTo(expected[index]!, 1e-4) })
}

describe('catching up loses no landed step', () => {
  it('whatever strikes at any message and any durable write: the partner\'s x, and on top what nobody else has', async () => {
    for (const fault of FAULTS) {
      for (let at = 0; at < EVENTS; at++) {
        const [late, ahead] = createSites()
        late.train(2)
        await late.save()
        late.train(3)
        await late.save()
        ahead.train(-7)
        await ahead.save()
        for (const site of [late, ahead]) site.fate = new Fate(at, fault)
        await late.exchange(ahead, { catchUp: true })
        if (late.isAlive) await late.save().catch(() => {})
        await finish(late, ahead)
        expectOnTop(late, ahead, 5)
        expect([late.averager.round, late.averager.steps]).to.deep.equal([9, { trained: 4, arrived: 0, lost: 0 }])
      }
    }
  })

  it('over random histories of training, saving, crashes and exchanges in which it arrives whole or not', async () => {
    const event = fc.oneof(
      fc.record({ what: fc.constant('train' as const), by: fc.integer({ min: -5, max: 5 }) }),
      fc.constantFrom({ what: 'save' as const }, { what: 'die' as const }, { what: 'exchange' as const }, { what: 'clipped' as const })
    )
    await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 14 }), async (events) => {
      const schema = vectorSchema(SIZE)
      const near = new MortalSite('near', { schema, values: new Float32Array(SIZE), round: 1, mass: 1, settings: SETTINGS })
      const tight = new MortalSite('tight', {
        schema,
        values: new Float32Array(SIZE).fill(500),
        round: 1,
        mass: 1,
        settings: { ...SETTINGS, clipRadius: 1e-3 }
      })
      const [late, ahead] = createSites()
      /** What is in memory, and in the checkpoint: steps that nobody else has. */
      let [own, saved] = [0, 0]
      for (const each of events) {
        if (each.what === 'train') {
          late.train(each.by)
          own += each.by
        } else if (each.what === 'save') {
          await late.save()
          saved = own
        } else if (each.what === 'die') {
          late.die()
          await late.restart()
          own = saved
        } else if (each.what === 'clipped') {
          await late.exchange(tight)
        } else if (await late.exchange(near)) {
          // The record of the exchange tells a restart that what had been saved before arrived.
          own = 0
          saved = 0
        }
      }
      expect(await late.exchange(ahead, { catchUp: true })).to.equal(true)
      expectOnTop(late, ahead, own)
      expect(await late.exchange(ahead)).to.equal(true)
      expect(late.averager.steps.arrived).to.equal(late.averager.steps.trained)
    }), { numRuns: 500 })
  })
})
