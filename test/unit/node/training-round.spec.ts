import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { NO_STEPS } from '../../../src/gossip-aggregation/unmixed.ts'
import type { SavedAdapter } from '../../../src/home/adapter-store.ts'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import { Arrival } from '../../../src/rounds/arrival.ts'
import { Checkpoint } from '../../../src/rounds/checkpoint.ts'
import { LabelVotes } from '../../../src/rounds/label-votes.ts'
import { Pace } from '../../../src/rounds/pace.ts'
import { roundPlan } from '../../../src/rounds/plan.ts'
import { SiteRecord } from '../../../src/rounds/site-record.ts'
import type { TrainWork } from '../../../src/rounds/trainer-messages.ts'
import { trainRound, type OtherSites, type RoundSite } from '../../../src/rounds/training-round.ts'
import type { LabelFits } from '../../../src/settings/labels.ts'
import { FakeClock, quietNotices } from './fakes.ts'

const schema = createSchema({ model: 'fake', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [2], role: 'lora' }] })
const settings = { codec: 'f32' as const, maxMass: 100, clipRadius: 10, normBound: 100, staleness: 3 }
const dice = { frozen: 0.5, global: 0.6, personal: 0.7 }
interface Lateness {
  readonly phaseMs: number
  readonly finishedForMs?: number
  readonly rounds?: number
  readonly areHalfSlow?: boolean
}

const NO_UNMIXED = { save: async () => {}, settle: async () => {} }
const { signal } = new AbortController()

describe('a training round', () => {
  let events: string[]
  let averager: Averager
  let record: SiteRecord
  let records: RoundRecord[]
  let clock: FakeClock
  let median: number | undefined
  let ahead: string[]
  let isLonely: boolean
  let distance: number
  let lonely: number[]
  /** The others' rounds are believed only so much later. */
  let believedInMs: number
  let fits: Map<string, LabelFits>

  function site (
    over: { round?: number, landed?: number, alone?: boolean, order?: 'GL-local', onPhaseG?: () => void, labelFits?: LabelFits } = {}
  ): RoundSite {
    events = []
    records = []
    record = new SiteRecord()
    clock = new FakeClock()
    const steps = { ...NO_STEPS, trained: over.landed ?? 0 }
    averager = new Averager({ schema, values: Float32Array.of(1, 2), round: over.round ?? 0, mass: 10, settings, steps })
    const save = async ({ values, round }: SavedAdapter): Promise<void> => { events.push(`save round ${round}: ${values.join(' ')}`) }
    const company: OtherSites = {
      gossip: {
        initiate: async ({ count, had = 0, withinMs }) => {
          if (believedInMs > 0) {
            events.push(`initiate for ${withinMs} ms`)
            believedInMs = 0
            return 0
          }
          events.push(`initiate ${count}${had > 0 ? ` less ${had}` : ''}`)
          record.count({ partner: 'b', bytesSent: 100, bytesReceived: 90 })
          // An exchange moves x by (1, 1).
          averager.land(Float32Array.of(0, 0), Float32Array.of(1, 1), averager.round)
          return count
        },
        // It takes (50, 50) in round 9 over.
        catchUp: async () => {
          const [partner] = ahead
          events.push(`catch up with ${partner}`)
          if (partner != null) averager.land(averager.snapshot(), Float32Array.of(50, 50), 9)
          return partner
        },
        trouble: undefined
      },
      peers: {
        medianRound: () => median,
        medianBelow: () => median,
        medianAhead: () => believedInMs > 0 ? undefined : median,
        farAhead: () => ahead,
        onRound: () => () => {},
        finishedForMs: () => 0,
        believedInMs: () => believedInMs,
        areHalfSlow: () => true,
        labelFits: () => fits
      },
      pace: new Pace(),
      arrival: new Arrival(quietNotices()),
      company: {
        beforeRound: async ({ onWaiting, catchUp }) => {
          if (!isLonely) return
          onWaiting()
          await catchUp()
          events.push('company')
        },
        ended: (exchanges) => { lonely.push(exchanges) }
      },
      labelVotes: new LabelVotes('a'),
      distance: () => distance,
      turnsPerRound: 2,
      stayMs: 120_000,
      staleness: 3,
      closeness: 0.02
    }
    return {
      averager,
      rounds: 20,
      trainer: {
        shorten: () => { events.push('shorten') },
        call: async (name, request) => {
          const { round, adapter } = request
          const phase = 'phase' in request ? request.phase : undefined
          events.push(`${phase == null ? name : `phase${phase}`} ${round}: ${adapter.join(' ')}`)
          if (phase == null) return { dice, ...(over.labelFits == null ? {} : { labelFits: over.labelFits }) } as never
          if (phase === 'L') return { loss: 0.2, steps: 3 } as never
          over.onPhaseG?.()
          return { adapter: adapter.map((value) => value + 10), loss: 0.4, steps: 3 } as never
        }
      },
      store: { saveRound: async ({ round, values }) => { events.push(`round file ${round}: ${values.join(' ')}`) } },
      checkpoint: new Checkpoint({ averager, store: { save }, unmixed: NO_UNMIXED, onFailure: () => {} }),
      metrics: { append: async (each) => { records.push(each) } },
      record,
      notices: quietNotices(),
      clock,
      onPhase: (phase) => events.push(phase),
      plan: roundPlan({ model: { moe: { blocks: [0] } }, training: { order: over.order, epochsL: 1 } } as never),
      ...(over.alone === true ? {} : { others: company })
    }
  }

  beforeEach(() => {
    median = undefined
    ahead = ['c']
    isLonely = false
    distance = 0.25
    lonely = []
    believedInMs = 0
    fits = new Map()
  })

  it('is one pipeline: G, landed and saved, exchanges, L on the mixed adapter, saved, recorded', async () => {
    await trainRound(site(), 1, signal)
    expect(events).to.deep.equal([
      'G', 'phaseG 1: 1 2', 'save round 1: 11 12',
      'exchange', 'initiate 2',
      'L', 'round file 1: 12 13', 'phaseL 1: 12 13', 'score 1: 12 13', 'save round 1: 12 13'
    ])
    expect(records).to.deep.equal([{
      t: new Date(1_000_000).toISOString(),
      round: 1,
      dice,
      lossG: 0.4,
      lossL: 0.2,
      exchanges: 1,
      bytesSent: 100,
      bytesReceived: 90,
      consensus: 0.25,
      steps: { trained: 3, arrived: 0, lost: 0 },
      pace: 1
    }])
  })

  it('warns of labels that look swapped, by their values, and of none that do not', async () => {
    const [asIs, exchanged]: LabelFits[] = [{ asIs: [[1, 2]], exchanged: [] }, { asIs: [], exchanged: [[1, 2]] }]
    fits = new Map([['b', asIs!], ['c', asIs!]])
    const warned = site({ labelFits: exchanged! })
    await trainRound(warned, 1, signal)
    expect(record.labelFits, 'announced').to.deep.equal(exchanged)
    expect(warned.notices.list.join()).to.include('labels 1 and 2 look swapped at this site').and.include('labels.json')
    for (const right of [site({ labelFits: asIs! }), site()]) {
      await trainRound(right, 1, signal)
      expect(right.notices.list).to.be.empty
    }
  })

  it('says how many exchanges the round had already', async () => {
    await trainRound(site({
      onPhaseG: () => { for (const partner of ['b', 'c']) record.count({ partner, bytesSent: 1, bytesReceived: 1 }) }
    }), 1, signal)
    expect(events).to.include('initiate 2 less 2')
    await trainRound(site(), 2, signal)
    expect(events).to.include('initiate 2')
  })

  it('GL-local fits the experts to the own adapter before the exchanges, and scores the mixed one', async () => {
    await trainRound(site({ order: 'GL-local' }), 1, signal)
    expect(events).to.deep.equal([
      'G', 'phaseG 1: 1 2', 'save round 1: 11 12',
      'L', 'phaseL 1: 11 12',
      'exchange', 'initiate 2',
      'L', 'round file 1: 12 13', 'score 1: 12 13', 'save round 1: 12 13'
    ])
    expect(records[0]).to.include({ dice, lossL: 0.2 })
  })

  it('lands the delta of phase G on whatever x has become meanwhile', async () => {
    await trainRound(site({ onPhaseG: () => { averager.land(Float32Array.of(0, 0), Float32Array.of(5, 5), 0) } }), 1, signal)
    expect(events).to.include('save round 1: 16 17')
  })

  it('lands what it trained as much as what is announced says, and writes down how much', async () => {
    await trainRound({ ...site(), weigh: (said, at) => ({ facts: said, factor: at === 0 ? 2 : NaN }) }, 1, signal)
    expect(events).to.include('save round 1: 22 23')
    expect(records[0]!.landing).to.equal(2)
  })

  it('does not train again what had landed before a crash', async () => {
    await trainRound(site({ round: 1, landed: 3 }), 1, signal)
    expect(events).to.deep.equal(['exchange', 'initiate 2', 'L', 'round file 1: 2 3', 'phaseL 1: 2 3', 'score 1: 2 3', 'save round 1: 2 3'])
  })

  it('has no exchanges when the site trains alone', async () => {
    const running = site({ alone: true })
    await trainRound(running, 1, signal)
    expect(events).to.deep.equal([
      'G',
      'phaseG 1: 1 2',
      'save round 1: 11 12',
      'L',
      'round file 1: 11 12',
      'phaseL 1: 11 12',
      'score 1: 11 12',
      'save round 1: 11 12'
    ])
    expect(records[0]).not.to.have.property('consensus')
    await trainRound(running, 2, signal)
    expect(events).to.include('phaseG 2: 11 12')
    expect(record.exchangesByRound).to.deep.equal([0, 0])
  })

  it('counts each round\'s exchanges apart', async () => {
    const running = site()
    await trainRound(running, 1, signal)
    record.count({ partner: 'c', bytesSent: 1, bytesReceived: 1 })
    await trainRound(running, 2, signal)
    expect(record.exchangesByRound).to.deep.equal([1, 2])
    expect(record.exchanges).to.equal(3)
  })

  it('waits for company before it trains, catching up meanwhile, and tells how many exchanges a round had', async () => {
    isLonely = true
    median = 9
    await trainRound(site({ round: 2 }), 3, signal)
    expect(events.slice(0, 4)).to.deep.equal(['waiting', 'catch up with c', 'save round 9: 50 50', 'company'])
    expect(events).to.include('phaseG 10: 50 50')
    expect(lonely).to.deep.equal([1])
  })

  it('pauses training while it is more than S rounds ahead of the median', async () => {
    const running = site({ round: 5 })
    median = 1
    clock.onSleep = () => {
      expect(events[0]).to.equal('waiting')
      expect(events.at(-1)).to.equal('initiate 1')
      if (clock.sleeps.length === 3) median = 2
    }
    await trainRound(running, 6, signal)
    expect(clock.sleeps).to.have.length(3)
    expect(running.notices.list).to.have.length(1)
    expect(events.filter((event) => event.startsWith('initiate 1') || event === 'waiting' || event === 'G')).to.deep.equal([
      'waiting',
      'initiate 1',
      'initiate 1',
      'initiate 1',
      'G'
    ])
  })

  it('begins no exchange while it waits and the sites agree', async () => {
    const running = site({ round: 5 })
    median = 1
    distance = 0.001
    clock.onSleep = () => {
      if (clock.sleeps.length === 500) distance = 0.1
      if (clock.sleeps.length === 501) median = 2
    }
    await trainRound(running, 6, signal)
    expect(events.slice(0, events.indexOf('G')).filter((event) => event.startsWith('initiate'))).to.have.length(1)
  })

  it('does not pause at exactly S rounds ahead', async () => {
    const running = site({ round: 5 })
    median = 2
    await trainRound(running, 6, signal)
    expect(clock.sleeps).to.be.empty
  })

  it('catches up when it is more than S rounds behind the median, and trains the round after the one that it took over', async () => {
    const running = site({ round: 2 })
    median = 9
    await trainRound(running, 3, signal)
    expect(events).to.deep.equal([
      'catch up with c', 'save round 9: 50 50',
      'G', 'phaseG 10: 50 50', 'save round 10: 60 60',
      'exchange', 'initiate 2',
      'L', 'round file 10: 61 61', 'phaseL 10: 61 61', 'score 10: 61 61', 'save round 10: 61 61'
    ])
    expect(records.map(({ round }) => round)).to.deep.equal([10])
    expect(record.exchangesByRound).to.deep.equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(running.notices.list[0]).to.include('in round 2, more than 3 behind').and.include('goes on in round 9')
  })

  it('says how many rounds are left to a site that comes late', async () => {
    const running = site()
    median = 9
    await trainRound(running, 1, signal)
    expect(running.notices.list[0]).to.include('goes on in round 9; since it came late, it trains 11 of 20 rounds with them')
  })

  it('catches up after phase G when the others went on meanwhile', async () => {
    await trainRound(site({ round: 2, onPhaseG: () => { median = 9 } }), 3, signal)
    expect(events).to.include('phaseG 3: 1 2').and.include('catch up with c').and.include('phaseL 9: 51 51')
    expect(records.map(({ round, lossG }) => [round, lossG])).to.deep.equal([[9, 0.4]])
  })

  it('is refused by all while it does not believe them yet: it catches up as soon as it does', async () => {
    median = 9
    believedInMs = 7_000
    await trainRound(site({ round: 2 }), 3, signal)
    expect(events.slice(0, 7)).to.deep.equal([
      'G', 'phaseG 3: 1 2', 'save round 3: 11 12',
      'exchange', 'initiate for 7000 ms', 'catch up with c', 'save round 9: 50 50'
    ])
    expect(events.filter((event) => event.startsWith('initiate'))).to.have.length(2)
    expect(records.map(({ round }) => round)).to.deep.equal([9])
  })

  it('makes up exchanges for the rounds of the others that passed in one of its own', async () => {
    const running = site()
    for (const [next, at] of [[1, 0], [2, 3], [3, 4]] as const) {
      median = at
      await trainRound(running, next, signal)
    }
    expect(events.filter((event) => event.startsWith('initiate'))).to.deep.equal(['initiate 2', 'initiate 4', 'initiate 2'])
  })

  describe('before the last one', () => {
    let requests: TrainWork[]

    /** Phase G takes as long as told; in ten rounds of the others' the site had one, with all its steps. */
    async function lastRound ({ phaseMs, finishedForMs = 0, rounds = 20, areHalfSlow = true }: Lateness): Promise<void> {
      const late = site({ round: 18, onPhaseG: () => { clock.time += phaseMs } })
      median = 19
      late.others!.pace.begin({ at: 0, median: 9 })
      late.others!.pace.end({ at: 50_000, median: 19, round: 17, trainMs: 40_000 })
      requests = []
      const { trainer } = late
      const peers = { ...late.others!.peers, finishedForMs: () => finishedForMs, areHalfSlow: () => areHalfSlow }
      const others = { ...late.others!, peers }
      const watched: RoundSite['trainer'] = {
        shorten: () => {},
        call: async (name, request, options) => {
          if (name === 'train') requests.push(request as TrainWork)
          return await trainer.call(name, request, options)
        }
      }
      await trainRound({ ...late, rounds, others, trainer: watched }, 19, signal)
    }

    it('makes up for steps that it lacks, each phase mixed, at the rates of the last quarter of all rounds', async () => {
      await lastRound({ phaseMs: 15_000, rounds: 19 })
      // Of 50 s it lacks nine tenths, and has 0.65 of these: 29.25 s, where all steps are reckoned with 40 s.
      expect(requests.map(({ phase, share, asRound }) => [phase, share, asRound])).to.deep.equal([
        ['G', 29.25 / 40, 15], ['G', 14.25 / 40, 17], ['G', 1, undefined], ['L', 1, undefined]
      ])
      // What earlier phases exchanged counts for none of the later ones.
      expect(events.filter((event) => event.startsWith('initiate'))).to.deep.equal(['initiate 2', 'initiate 2', 'initiate 2'])
      expect(requests.map(({ round }) => round)).to.deep.equal([19, 19, 19, 19])
    })

    it('makes up for nothing where most sites keep up', async () => {
      await lastRound({ phaseMs: 15_000, rounds: 19, areHalfSlow: false })
      expect(requests.map(({ phase }) => phase)).to.deep.equal(['G', 'L'])
    })

    it('makes up for nothing earlier, nor where the others are about to leave', async () => {
      await lastRound({ phaseMs: 15_000, rounds: 20 })
      expect(requests.map(({ phase }) => phase)).to.deep.equal(['G', 'L'])
      await lastRound({ phaseMs: 15_000, rounds: 19, finishedForMs: 59_000 })
      expect(requests.map(({ phase }) => phase)).to.deep.equal(['G', 'L'])
    })
  })

  it('trains on when nobody lets it catch up', async () => {
    const running = site({ round: 2 })
    median = 9
    ahead = []
    await trainRound(running, 3, signal)
    expect(events).to.include('phaseG 3: 1 2')
    expect(records.map(({ round }) => round)).to.deep.equal([3])
    expect(running.notices.list).to.deep.equal([])
  })
})
