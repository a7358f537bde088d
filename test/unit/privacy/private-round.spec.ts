import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { Checkpoint } from '../../../src/rounds/checkpoint.ts'
import type { PrivacyGuard } from '../../../src/rounds/privacy-guard.ts'
import { SiteRecord } from '../../../src/rounds/site-record.ts'
import { trainRound, type RoundSite } from '../../../src/rounds/training-round.ts'
import { FakeClock, quietNotices } from '../node/fakes.ts'

const schema = createSchema({ model: 'fake', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [2], role: 'lora' }] })
const settings = { codec: 'f32' as const, maxMass: 100, clipRadius: 10, normBound: 100, staleness: 3 }
const { signal } = new AbortController()

describe('a training round where privacy is promised', () => {
  let events: string[]
  let averager: Averager

  const priced = (more: Partial<PrivacyGuard> = {}): PrivacyGuard => ({
    isSpent: false,
    endsWhenSpent: false,
    spend: async ({ round, steps }) => {
      events.push(`pays for ${steps} steps of round ${round}`)
      return { hide: (delta) => delta.map((value) => -value) }
    },
    ...more
  })

  function site (privacy: PrivacyGuard, steps = 3): RoundSite {
    events = []
    averager = new Averager({ schema, values: Float32Array.of(1, 2), round: 0, mass: 1, settings })
    return {
      averager,
      privacy,
      rounds: 20,
      trainer: {
        shorten: () => {},
        call: async (name, request) => {
          const phase = 'phase' in request ? request.phase : undefined
          events.push(`${phase ?? name} ${request.round}: ${request.adapter.join(' ')}`)
          if (phase == null) return { dice: { frozen: 0, global: 0, personal: 0 } } as never
          const reply = { loss: 0, steps }
          const more = steps === 0 ? 0 : 10
          return (phase === 'L' ? reply : { ...reply, adapter: request.adapter.map((value) => value + more) }) as never
        }
      },
      store: { saveRound: async () => {} },
      checkpoint: new Checkpoint({
        averager,
        store: { save: async ({ values }) => { events.push(`saves ${values.join(' ')}`) } },
        unmixed: { save: async () => {}, settle: async () => {} },
        onFailure: () => {}
      }),
      metrics: { append: async ({ round, lossG }) => { events.push(`ends ${round}, loss ${lossG}`) } },
      record: new SiteRecord(),
      notices: quietNotices(),
      clock: new FakeClock(),
      onPhase: () => {},
      plan: { before: ['G'], after: ['L'] }
    }
  }

  it('is paid for before it lands, hidden', async () => {
    await trainRound(site(priced()), 1, signal)
    expect(events.slice(0, 4)).to.deep.equal(['G 1: 1 2', 'pays for 3 steps of round 1', 'saves -9 -8', 'L 1: -9 -8'])
  })

  it('lands nothing that cannot be paid for, and goes on with the others', async () => {
    await trainRound(site(priced({ spend: async () => undefined })), 1, signal)
    expect(events).to.deep.equal(['G 1: 1 2', 'saves 1 2', 'L 1: 1 2', 'score 1: 1 2', 'saves 1 2', 'ends 1, loss 0'])
    expect([averager.round, averager.steps.trained]).to.deep.equal([1, 0])
  })

  it('pays nothing, and adds no noise, where nothing was trained', async () => {
    await trainRound(site(priced(), 0), 1, signal)
    expect(events.slice(0, 3)).to.deep.equal(['G 1: 1 2', 'saves 1 2', 'L 1: 1 2'])
    expect([averager.round, averager.steps.trained]).to.deep.equal([1, 0])
  })

  it('trains the shared adapter no more when all is spent: experts and rounds go on', async () => {
    const running = site(priced({ isSpent: true }))
    for (const round of [1, 2]) await trainRound(running, round, signal)
    expect(events.slice(0, 4)).to.deep.equal(['L 1: 1 2', 'score 1: 1 2', 'saves 1 2', 'ends 1, loss null'])
    expect([averager.round, averager.steps.trained]).to.deep.equal([2, 0])
  })
})
