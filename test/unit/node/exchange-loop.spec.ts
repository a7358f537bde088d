import { expect } from 'chai'
import { RefusedError, UnreachableError } from '../../../src/errors.ts'
import { ExchangeLoop } from '../../../src/rounds/exchange-loop.ts'
import type { Notices } from '../../../src/rounds/notices.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { announced, FakeClock, quietNotices } from './fakes.ts'

const { signal } = new AbortController()

describe('Gossip', () => {
  let clock: FakeClock
  let peers: PeerTable
  let notices: Notices
  let asked: string[]

  beforeEach(() => {
    clock = new FakeClock()
    peers = new PeerTable(clock.now)
    notices = quietNotices()
    asked = []
  })

  /** Each partner answers with the next of its script; the last repeats. */
  function create (script: Record<string, (Error | 'part' | undefined)[]>): ExchangeLoop {
    let draws = 0
    for (const id of Object.keys(script)) peers.connected(id, [])
    return new ExchangeLoop({
      peers,
      notices,
      clock,
      random: () => (draws++ * 0.37) % 1,
      exchange: async (partner) => {
        asked.push(partner)
        const answers = script[partner]!
        const answer = answers.length > 1 ? answers.shift() : answers[0]
        if (answer instanceof Error) throw answer
        return { excess: 0.5, clipped: answer === 'part' }
      }
    })
  }

  it('commits as many as asked for', async () => {
    expect(await create({ a: [undefined] }).initiate({ count: 2, withinMs: 20_000, signal })).to.equal(2)
    expect(asked).to.deep.equal(['a', 'a'])
    expect(clock.sleeps).to.be.empty
  })

  it('asks a busy partner again after about the time it named', async () => {
    const gossip = create({ a: [new RefusedError('BUSY', 400), undefined] })
    expect(await gossip.initiate({ count: 1, withinMs: 20_000, signal })).to.equal(1)
    const waited = clock.time - 1_000_000
    expect(waited).to.be.within(200, 620)
  })

  it('goes to another while one is unreachable, and leaves that one alone for longer and longer', async () => {
    const gossip = create({ gone: [new UnreachableError('no answer')], there: [undefined] })
    expect(await gossip.initiate({ count: 20, withinMs: 20_000, signal })).to.equal(20)
    expect(asked.filter((id) => id === 'gone')).to.have.length(1)
  })

  it('never asks a site with another schema again, and says so once', async () => {
    const gossip = create({ foreign: [new RefusedError('SCHEMA')] })
    expect(await gossip.initiate({ count: 2, withinMs: 5_000, signal })).to.equal(0)
    expect(await gossip.initiate({ count: 2, withinMs: 5_000, signal })).to.equal(0)
    expect(asked).to.deep.equal(['foreign'])
    expect(notices.list.filter((each) => each.includes('another model or base'))).to.have.length(1)
  })

  it('does not wait when nobody is there, says so once, and says when somebody comes', async () => {
    const gossip = create({})
    clock.time += 20_000
    expect(await gossip.initiate({ count: 2, withinMs: 20_000, signal })).to.equal(0)
    expect(await gossip.initiate({ count: 2, withinMs: 20_000, signal })).to.equal(0)
    expect(clock.sleeps).to.be.empty
    expect(notices.list).to.have.length(1)
    expect(notices.list[0]).to.contain('training goes on alone')
  })

  it('waits a bounded time after it came up, since the others may not have found it yet', async () => {
    const gossip = create({})
    expect(await gossip.initiate({ count: 1, withinMs: 60_000, signal })).to.equal(0)
    expect(clock.time - 1_000_000).to.be.within(20_000, 20_500)
    expect(notices.list).to.have.length(1)
  })

  it('waits a bounded time for a site that went away a moment ago', async () => {
    const gossip = create({ a: [undefined] })
    peers.disconnected('a')
    clock.onSleep = () => { if (clock.time > 1_003_000) peers.connected('a', []) }
    expect(await gossip.initiate({ count: 1, withinMs: 20_000, signal })).to.equal(1)
    peers.disconnected('a')
    clock.onSleep = () => {}
    const before = clock.time
    expect(await gossip.initiate({ count: 1, withinMs: 10_000, signal })).to.equal(0)
    expect(clock.time - before).to.be.within(10_000, 10_500)
  })

  it('gives up at the time limit with a partner that is always busy', async () => {
    const gossip = create({ a: [new RefusedError('BUSY', 200)] })
    expect(await gossip.initiate({ count: 1, withinMs: 3_000, signal })).to.equal(0)
    expect(clock.time).to.be.within(1_003_000, 1_003_500)
  })

  it('does not exchange twice in an agreed step: a partner that came by itself was enough, in its round', async () => {
    let step = 0
    for (const id of ['b', 'c', 'd']) peers.connected(id, [])
    const exchange = async (partner: string): Promise<{ excess: number }> => {
      asked.push(partner)
      return { excess: 0.5 }
    }
    const gossip = new ExchangeLoop({
      peers,
      notices,
      clock,
      random: () => 0,
      exchange,
      partner: { rule: 'exponential', self: 'a', ring: () => ['a', 'b', 'c', 'd'], step: () => step }
    })
    gossip.served('c', { excess: 0.5 })
    expect(await gossip.initiate({ count: 2, withinMs: 1_000, signal })).to.equal(2)
    expect(asked).to.deep.equal(['b'])
    gossip.served('b', { excess: 0.5 })
    step = 3
    expect(await gossip.initiate({ count: 2, withinMs: 1_000, signal })).to.equal(2)
    expect(asked).to.deep.equal(['b', 'b', 'c'])
  })

  describe('of sites that train each at its own pace', () => {
    const ids = ['a', 'b', 'c', 'd', 'e']
    let round: number
    let gossip: ExchangeLoop
    let averager: { isSettling: boolean }
    let busy: Set<string>
    let cluster: readonly string[] | undefined

    beforeEach(() => {
      round = 1
      averager = { isSettling: false }
      busy = new Set()
      cluster = undefined
      for (const id of ids.slice(1)) peers.connected(id, [])
      gossip = new ExchangeLoop({
        peers,
        averager,
        notices,
        clock,
        random: () => 0,
        exchange: async (partner) => {
          if (busy.has(partner)) throw new RefusedError('BUSY', 100)
          asked.push(partner)
          return { excess: 0.5 }
        },
        partner: { rule: 'exponential', self: 'a', ring: () => ids, cluster: () => cluster, step: () => 2 * round, isOutOfStep: true }
      })
    })

    const initiate = async (over: { count?: number, had?: number, onlyDue?: boolean } = {}): Promise<void> => {
      await gossip.initiate({ count: 2, withinMs: 5_000, signal, ...over })
    }

    it('go to the half that they met longest ago, whoever began', async () => {
      for (const id of ['e', 'd', 'c', 'b']) gossip.served(id, { excess: 0.5 })
      round++
      await initiate({ count: 4 })
      expect(asked).to.deep.equal(['e', 'd', 'c', 'b'])
    })

    it('ask nobody twice without training in between while another is there, however busy', async () => {
      for (const id of ['d', 'e']) peers.disconnected(id)
      gossip.served('b', { excess: 0.5 })
      busy.add('c')
      clock.onSleep = () => { if (clock.sleeps.length === 5) busy.clear() }
      await initiate({ count: 1 })
      expect(asked).to.deep.equal(['c'])
    })

    it('ask the only one that there is again', async () => {
      for (const id of ['c', 'd', 'e']) peers.disconnected(id)
      await initiate()
      expect(asked).to.deep.equal(['b', 'b'])
    })

    it('count two that came before the training landed as one turn, and carry the training on in any case', async () => {
      gossip.served('b', { excess: 0.5 })
      gossip.served('c', { excess: 0.5 })
      round++
      await initiate({ had: 1 })
      expect(asked).to.have.length(2)
      round++
      await initiate({ had: 2 })
      expect(asked).to.have.length(3)
      round++
      await initiate({ had: 9 })
      expect(asked).to.have.length(4)
    })

    it('count each that came since the training landed', async () => {
      gossip.served('b', { excess: 0.5 })
      await initiate({ had: 1 })
      expect(asked).to.have.length(1)
      round++
      gossip.served('b', { excess: 0.5 })
      gossip.served('c', { excess: 0.5 })
      await initiate({ had: 2 })
      expect(asked).to.have.length(1)
    })

    it('that wait or have finished begin one only when the others have trained a round since the last', async () => {
      const train = (number: number): void => { for (const id of ids.slice(1)) peers.announced(id, announced({ round: number })) }
      train(1)
      await initiate({ count: 1, onlyDue: true })
      expect(asked).to.have.length(1)
      await initiate({ count: 1, onlyDue: true })
      peers.announced('b', announced({ round: 2 }))
      await initiate({ count: 1, onlyDue: true })
      expect(asked).to.have.length(1)
      train(2)
      gossip.served('d', { excess: 0.5 })
      await initiate({ count: 1, onlyDue: true })
      expect(asked).to.have.length(1)
      train(3)
      await initiate({ count: 1, onlyDue: true })
      expect(asked).to.have.length(2)
    })

    it('sweep through the agreed partners in their order, settling, and wait for one that is busy', async () => {
      peers.disconnected('e')
      await initiate({ count: 1 })
      asked = []
      gossip.rewind()
      busy.add('b')
      clock.onSleep = () => { if (clock.sleeps.length === 4) busy.clear() }
      await gossip.sweep({ withinMs: 10_000, signal })
      expect(asked.slice(0, 2)).to.deep.equal(['b', 'c'])
      expect(asked).to.have.length(3)
      expect(averager.isSettling).to.equal(true)
      gossip.rewind()
      expect(averager.isSettling).to.equal(false)
    })

    it('sweep through all first, and then through their own cluster', async () => {
      cluster = ['a', 'c', 'e']
      gossip.rewind()
      await gossip.sweep({ withinMs: 60_000, signal })
      expect(asked.slice(0, 3)).to.deep.equal(['b', 'c', 'e'])
      expect(asked.slice(3)).to.deep.equal(['c', 'e'])
      cluster = ids
      asked = []
      gossip.rewind()
      await gossip.sweep({ withinMs: 60_000, signal })
      expect(asked).to.have.length(3)
    })

    it('catch up with one of their own cluster, where there is one', async () => {
      cluster = ['a', 'd']
      expect(await gossip.catchUp({ ahead: () => ['b', 'c', 'd'], withinMs: 5_000, signal })).to.equal('d')
      expect(await gossip.catchUp({ ahead: () => ['b', 'c'], withinMs: 5_000, signal })).to.equal('b')
    })

    it('do not ask in a sweep whom they met in it', async () => {
      gossip.served('c', { excess: 0.5 })
      gossip.rewind()
      gossip.served('b', { excess: 0.5 })
      await gossip.sweep({ withinMs: 10_000, signal })
      expect(asked).to.deep.equal(['c', 'e'])
    })
  })

  it('counts lies that partners bring as much as those that it asks for, and says so once', () => {
    const gossip = create({ a: [undefined] })
    for (let i = 0; i < 3; i++) gossip.served('a', { excess: 20 })
    expect(gossip.suspects).to.deep.equal(['a'])
    expect(notices.list).to.have.length(1)
  })

  it('suspects whom the averager names for pushing, and says so once', () => {
    const gossip = new ExchangeLoop({
      peers,
      notices,
      clock,
      random: Math.random,
      exchange: async () => await Promise.reject(new UnreachableError('nobody is asked')),
      averager: { isSettling: false, hasPushed: (partner) => partner === 'a' }
    })
    for (const partner of ['a', 'b', 'a']) gossip.served(partner, { excess: 0.5 })
    expect(gossip.suspects).to.deep.equal(['a'])
    expect(notices.list).to.deep.equal([
      'site a moves this site\'s adapter by as much as it may, again and again: it is asked last from now on, and moves it less'
    ])
  })

  it('does not ask a site that has finished and left', async () => {
    const gossip = create({ a: [undefined] })
    peers.announced('a', announced({ phase: 'done' }))
    expect(await gossip.initiate({ count: 1, withinMs: 3_000, signal })).to.equal(0)
    expect(asked).to.be.empty
  })

  it('stops at once when told to', async () => {
    const controller = new AbortController()
    const gossip = create({ a: [new RefusedError('BUSY_HERE')] })
    clock.onSleep = () => {
      controller.abort(new Error('stop'))
    }
    const error = await gossip.initiate({ count: 1, withinMs: 3_000, signal: controller.signal }).then(
      () => undefined,
      (reason: Error) => reason
    )
    expect(error?.message).to.equal('stop')
  })

  describe('catching up', () => {
    it('takes over from one of the sites ahead that lets it, and asks nobody else', async () => {
      const gossip = create({ a: [undefined], b: [new RefusedError('BUSY', 200), undefined] })
      expect(await gossip.catchUp({ ahead: () => ['b'], withinMs: 20_000, signal })).to.equal('b')
      expect(asked).to.deep.equal(['b', 'b'])
    })

    it('asks another where one is too far off for its word alone', async () => {
      const gossip = create({ a: ['part', undefined], b: [undefined] })
      expect(await gossip.catchUp({ ahead: () => ['a', 'b'], upTo: 9, withinMs: 20_000, signal })).to.equal(asked.at(-1))
      expect(asked).to.deep.equal(['a', 'b'])
      expect(notices.list).to.deep.equal([
        'the adapter of site a is farther off than the rounds between explain: this site did not take it over, and asks another'
      ])
    })

    it('gives up in time, or when nobody is ahead any more', async () => {
      const gossip = create({ b: [new UnreachableError('gone')] })
      expect(await gossip.catchUp({ ahead: () => ['b'], withinMs: 5_000, signal })).to.equal(undefined)
      expect(await gossip.catchUp({ ahead: () => [], withinMs: 5_000, signal })).to.equal(undefined)
    })
  })
})
