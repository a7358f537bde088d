import { expect } from 'chai'
import { Company } from '../../../src/rounds/company.ts'
import type { Notices } from '../../../src/rounds/notices.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { announced, FakeClock, quietNotices } from './fakes.ts'

const { signal } = new AbortController()

describe('a site without the others', () => {
  let clock: FakeClock
  let peers: PeerTable
  let notices: Notices
  let exchanges: number
  let answers: boolean
  let events: string[]

  beforeEach(() => {
    clock = new FakeClock()
    peers = new PeerTable(clock.now)
    notices = quietNotices()
    exchanges = 0
    answers = true
    events = []
  })

  function create ({ aloneRounds = 3, before = [] }: { aloneRounds?: number, before?: number[] } = {}): Company {
    const gossip = {
      initiate: async () => {
        events.push('initiate')
        if (!answers) return 0
        exchanges++
        return 1
      },
      get trouble () { return peers.candidates().length === 0 ? 'no other site can be reached' : 'exchanges broke off (TimeoutError)' }
    }
    return new Company({ gossip, peers, notices, clock, exchanges: () => exchanges, aloneRounds, rounds: 20, before })
  }

  /** Seconds that it waited. */
  async function wait (company: Company, when: 'beforeRound' | 'atEnd' = 'beforeRound'): Promise<number> {
    const start = clock.time
    await company[when]({
      onWaiting: () => { events.push('waits') },
      catchUp: async () => { events.push('catch up') },
      signal
    })
    return (clock.time - start) / 1_000
  }

  function comes (): void {
    peers.connected('b', [])
    peers.announced('b', announced({ round: 3 }))
  }

  it('trains a few rounds alone, then pauses however long it takes, and goes on after an exchange', async () => {
    const company = create()
    for (let round = 0; round < 2; round++) {
      company.ended(0)
      expect(await wait(company)).to.equal(0)
    }
    company.ended(0)
    clock.onSleep = () => {
      expect(notices.list.join()).to.equal(
        'no other site can be reached, and the last 3 rounds passed without an exchange: training pauses, and goes on by itself when ' +
        'another site is there (start with --alone to finish without the others)'
      )
      if (clock.sleeps.length === 5_000) comes()
    }
    expect(await wait(company)).to.be.within(5_000, 5_001)
    expect(events).to.deep.equal(['waits', 'catch up', 'initiate'])
    expect(await wait(company), 'it counts from the beginning').to.equal(0)
  })

  it('pauses as well where the others are there and no exchange comes about, and says why', async () => {
    const company = create({ aloneRounds: 1 })
    answers = false
    comes()
    company.ended(0)
    clock.onSleep = () => { if (clock.sleeps.length === 60) answers = true }
    expect(await wait(company)).to.equal(60)
    expect(notices.list.join()).to.match(/^another site is there|exchanges broke off/)
  })

  it('goes on when another one began the exchange', async () => {
    const company = create({ before: [2, 0, 0, 0] })
    clock.onSleep = () => { if (clock.sleeps.length === 7) exchanges++ }
    expect(await wait(company)).to.equal(7)
  })

  it('counts rounds of before a restart, and none that had an exchange', async () => {
    expect(await wait(create({ before: [0, 0, 0, 1] }))).to.equal(0)
    expect(events).to.deep.equal([])
    const company = create({ before: [] })
    for (const count of [0, 0, 1, 0, 0]) company.ended(count)
    expect(await wait(company)).to.equal(0)
  })

  it('waits for nobody where all others have finished and left', async () => {
    const company = create({ before: [0, 0, 0] })
    comes()
    peers.announced('b', announced({ phase: 'done' }))
    peers.disconnected('b')
    // Killed long ago: it would find nobody else either.
    peers.connected('c', [])
    peers.announced('c', announced({ round: 2 }))
    peers.disconnected('c')
    clock.time += 20_000
    expect(await wait(company)).to.equal(0)
    expect(events).to.deep.equal([])
  })

  it('does not end with training that no other has, unless it may train all rounds alone', async () => {
    clock.onSleep = () => { if (clock.sleeps.length === 90) comes() }
    expect(await wait(create({ before: [1, 0] }), 'atEnd')).to.equal(90)
    expect(await wait(create({ before: [0, 1] }), 'atEnd')).to.equal(0)
    expect(await wait(create({ before: [0, 0], aloneRounds: 20 }), 'atEnd')).to.equal(0)
  })
})
