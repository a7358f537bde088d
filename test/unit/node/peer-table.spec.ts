import { expect } from 'chai'
import type { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { announced, FakeClock } from './fakes.ts'

const NO_FITS = { asIs: [], exchanged: [] }

type Guided = Parameters<PeerTable['guide']>[0]

describe('PeerTable', () => {
  let clock: FakeClock
  let peers: PeerTable

  beforeEach(() => {
    clock = new FakeClock()
    peers = new PeerTable(clock.now)
  })

  it('shows connected, announced and exchanged as different facts', () => {
    peers.connected('a', ['/ip4/10.0.0.1/tcp/1'])
    peers.announced('b', announced({ round: 3, phase: 'L', dice: 0.9 }))
    peers.exchanged('b')
    const lastSeen = new Date(clock.time).toISOString()
    expect(peers.view(['a'])).to.deep.equal([
      { peerId: 'a', connected: true, addresses: ['/ip4/10.0.0.1/tcp/1'], exchanges: 0, suspect: true, lastSeen },
      { peerId: 'b', connected: false, addresses: [], exchanges: 1, suspect: false, lastSeen, round: 3, phase: 'L', dice: 0.9 }
    ])
    expect(peers.connectedCount).to.equal(1)
  })

  it('counts a site without labels in nothing: nobody asks it or waits for it', () => {
    const heard: string[] = []
    const stop = peers.onRound(() => { heard.push('news') })
    for (const [id, reads] of [['reader', true], ['site', undefined]] as const) {
      peers.connected(id, [])
      peers.announced(id, announced({ round: reads === true ? 9 : 2, pace: 0.5, reads, ...(reads === true ? {} : { labelFits: NO_FITS }) }))
    }
    peers.heardRound('reader', 11)
    stop()
    expect(heard).to.deep.equal(['news'])
    expect([peers.candidates(), peers.unfinished(), peers.waitedFor()]).to.deep.equal([['site'], ['site'], ['site']])
    expect([peers.medianRound(), peers.medianBelow(), peers.presentCount(), peers.landings]).to.deep.equal([2, 2, 1, 1])
    expect([peers.ring('self'), [...peers.labelFits().keys()]]).to.deep.equal([['self', 'site'], ['site']])
    expect(peers.sketches('a')).to.have.length(1)
    expect([peers.connectedCount, peers.partnerCount, peers.counts]).to.deep.equal([2, 1, { known: 1, absent: 0, readers: 1 }])
    expect(peers.view()[0]).to.include({ peerId: 'reader', reads: true })
    peers.announced('site', announced({ phase: 'done' }))
    expect([peers.haveLeft(), peers.expectsSomebody()]).to.deep.equal([true, false])
  })

  it('has the facts of who was heard lately or is not far behind, of sites without any too, and of none that read or left', () => {
    const facts = Float32Array.of(0.5)
    const said = { lately: { round: 1, facts }, silent: { round: 9 }, left: { round: 9, phase: 'done', facts }, reader: { reads: true } }
    for (const [id, each] of Object.entries({ ...said, near: { round: 7, facts } })) peers.announced(id, announced(each))
    expect([...peers.facts(9, 3)]).to.deep.equal([['lately', facts], ['silent', undefined], ['near', facts]])
    clock.time += 20_000
    expect([...peers.facts(9, 3).keys()]).to.deep.equal(['silent', 'near'])
    expect([...peers.facts(11, 3).keys()]).to.deep.equal(['silent'])
  })

  it('awaits the facts of who is there and has not trained yet, and of nobody else', () => {
    expect(peers.awaitsFacts()).to.equal(false)
    peers.announced('told', announced({ round: 0, facts: Float32Array.of(1) }))
    peers.announced('has none', announced({ round: 1 }))
    peers.announced('reader', announced({ round: 0, reads: true }))
    expect(peers.awaitsFacts()).to.equal(false)
    peers.announced('new', announced({ round: 0 }))
    expect(peers.awaitsFacts()).to.equal(true)
    peers.heardRound('new', 1)
    expect(peers.awaitsFacts(), 'its announcement is on its way').to.equal(true)
    clock.time += 20_001
    expect(peers.awaitsFacts(), 'it has gone').to.equal(false)
  })

  it('still expects somebody to be found while it knows a site without labels alone', () => {
    peers.connected('reader', [])
    peers.announced('reader', announced({ reads: true }))
    expect(peers.expectsSomebody()).to.equal(true)
    clock.time += 20_000
    expect(peers.expectsSomebody()).to.equal(false)
  })

  it('knows who is far ahead, and the ring that all who know the same sites agree on', () => {
    for (const [id, round] of [['c', 9], ['a', 5], ['d', 1]] as const) {
      peers.connected(id, [])
      peers.announced(id, announced({ round }))
    }
    peers.connected('quiet', [])
    expect(peers.farAhead(1, 3)).to.deep.equal(['c', 'a'])
    expect(peers.farAhead(2, 3)).to.deep.equal(['c'])
    expect(peers.ring('b')).to.deep.equal(['a', 'b', 'c', 'd'])
    peers.announced('a', announced({ phase: 'done' }))
    expect(peers.ring('b')).to.deep.equal(['b', 'c', 'd'])
  })

  it('misses who trained and is gone without a farewell, once it would be back from a restart', () => {
    for (const id of ['there', 'gone', 'left', 'silent', 'foreign']) peers.connected(id, [])
    for (const id of ['there', 'gone', 'left', 'foreign']) peers.announced(id, announced({ round: 2 }))
    peers.announced('left', announced({ round: 2, phase: 'stopped' }))
    peers.markForeign('foreign')
    for (const id of ['gone', 'left', 'silent', 'foreign']) peers.disconnected(id)
    expect(peers.counts).to.deep.equal({ known: 4, absent: 0, readers: 0 })
    clock.time += 60_000
    expect(peers.counts).to.deep.equal({ known: 4, absent: 1, readers: 0 })
    peers.connected('gone', [])
    expect(peers.counts.absent).to.equal(0)
  })

  it('counts how often another site is in a later round', () => {
    for (const [id, round] of [['a', 1], ['a', 1], ['b', 4], ['a', 2], ['b', 3]] as const) peers.announced(id, announced({ round }))
    expect(peers.landings).to.equal(3)
  })

  it('believes a round that was said in an exchange, later than what was announced', () => {
    const heard: number[] = []
    peers.onRound(() => { heard.push(peers.landings) })
    peers.heardRound('a', 7)
    peers.connected('a', [])
    peers.announced('a', announced({ round: 2 }))
    for (const round of [1, 2, 6]) peers.heardRound('a', round)
    expect([peers.medianRound(), peers.announcementOf('a')?.round, heard]).to.deep.equal([6, 6, [1, 2]])
  })

  it('takes the median of the rounds of connected sites, the lower of two', () => {
    expect(peers.medianRound()).to.equal(undefined)
    for (const [id, round] of [['a', 1], ['b', 9], ['c', 4], ['d', 5]] as const) {
      peers.connected(id, [])
      peers.announced(id, announced({ round }))
    }
    expect(peers.medianRound()).to.equal(4)
    peers.disconnected('c')
    expect(peers.medianRound()).to.equal(5)
    peers.markForeign('b')
    expect(peers.medianRound()).to.equal(1)
    peers.announced('far', announced({ round: 90 }))
    expect(peers.medianRound(), 'one that cannot be asked').to.equal(1)
  })

  it('counts this site as the one furthest ahead where it asks whether to wait: a slow half holds nobody up', () => {
    expect(peers.medianBelow()).to.equal(undefined)
    const below = (...rounds: number[]): number | undefined => {
      const table = new PeerTable(() => clock.time)
      for (const [site, round] of rounds.entries()) {
        table.connected(`${site}`, [])
        table.announced(`${site}`, announced({ round }))
      }
      return table.medianBelow()
    }
    expect(below(2), 'of two sites, the other').to.equal(2)
    expect(below(2, 1), 'two slow ones of three').to.equal(2)
    expect(below(2, 9, 1), 'two slow ones of four').to.equal(9)
    expect(below(2, 3, 1), 'three slow ones of four').to.equal(3)
    expect(below(1, 2, 3, 9), 'three slow ones of five').to.equal(3)
    expect(below(1, 2, 3, 9, 9), 'three slow ones of six').to.equal(9)
  })

  describe('what a site that is behind believes', () => {
    const ahead = (rounds: readonly number[], { after = 20_000 } = {}): number | undefined => {
      const table = new PeerTable(() => clock.time)
      for (const [site, round] of rounds.entries()) {
        table.connected(`${site}`, [])
        table.announced(`${site}`, announced({ round }))
      }
      clock.time += after
      return table.medianAhead()
    }

    it('takes more than half of all, with itself: three liars of six, or one of three, make it skip nothing', () => {
      expect(ahead([9]), 'of two sites, the other').to.equal(9)
      expect(ahead([1, 9]), 'one of three').to.equal(1)
      expect(ahead([9, 1, 9]), 'two of four').to.equal(1)
      expect(ahead([9, 1, 9, 9]), 'three of five').to.equal(9)
      expect(ahead([9, 1, 9, 1, 9]), 'three of six').to.equal(1)
      expect(ahead([9, 1, 9, 9, 9]), 'four of six').to.equal(9)
      expect(ahead([9, 9, 9, 9, 9, 1, 1]), 'five of eight').to.equal(9)
      expect(ahead([9, 9, 9, 9, 1, 1, 1]), 'half of eight').to.equal(1)
    })

    it('is nobody\'s round before those who started with it were found, unless five are there', () => {
      expect(ahead([9, 9, 9], { after: 19_999 })).to.equal(undefined)
      expect(ahead([9, 9, 9, 9], { after: 19_999 })).to.equal(undefined)
      expect(ahead([9, 9, 9, 9, 9], { after: 0 }), 'five others').to.equal(9)
      expect(ahead([9, 9, 9, 0, 0], { after: 0 })).to.equal(0)
    })

    it('is that of the many where some came as late as itself and exchange with it alone', () => {
      for (let site = 0; site < 11; site++) {
        peers.connected(`${site}`, [])
        peers.announced(`${site}`, announced({ round: site < 3 ? 1 : 15 }))
        if (site < 3) peers.exchanged(`${site}`)
      }
      expect(peers.medianAhead()).to.equal(15)
    })

    it('is not that of three liars who exchanged with it first', () => {
      for (let site = 0; site < 9; site++) {
        peers.connected(`${site}`, [])
        peers.announced(`${site}`, announced({ round: site < 3 ? 15 : 1 }))
        if (site < 3) peers.exchanged(`${site}`)
      }
      expect(peers.medianAhead()).to.equal(1)
    })

    it('names as partners those about that round, not whoever claims most', () => {
      for (const [id, round] of [['a', 9], ['b', 10], ['far', 90]] as const) {
        peers.connected(id, [])
        peers.announced(id, announced({ round }))
      }
      expect(peers.farAhead(1, 3, 9)).to.deep.equal(['a', 'b'])
    })
  })

  it('has refused for the rounds between them only who will catch up: not half of all, left behind by the other half', () => {
    const settings = { staleness: 3 } as Averager['settings']
    const refusals = (own: number, others: readonly number[]): readonly boolean[] => {
      const averager: Guided = { round: own, settings, willCatchUp: () => true }
      const table = new PeerTable(() => clock.time, 0)
      others.forEach((round, index) => {
        table.connected(`${index}`, [])
        table.announced(`${index}`, announced({ round }))
      })
      table.guide(averager)
      return [averager.willCatchUp(own), ...others.map((round, index) => averager.willCatchUp(round, `${index}`))]
    }
    expect(refusals(9, [9, 1, 1]), 'of two fast and two slow ones, the fast one').to.deep.equal([false, false, false, false])
    expect(refusals(1, [1, 9, 9]), 'the slow one').to.deep.equal([false, false, false, false])
    expect(refusals(9, [9, 9, 1]), 'one slow of four').to.deep.equal([false, false, false, true])
    expect(refusals(1, [9, 9, 9]), 'that one').to.deep.equal([true, false, false, false])
    expect(refusals(9, [1]), 'two sites').to.deep.equal([false, true])
    expect(refusals(1, []), 'who knows nobody').to.deep.equal([true])
  })

  it('lets a site whose round has not grown for ten minutes hold nobody up', () => {
    peers.connected('a', [])
    peers.announced('a', announced({ round: 1 }))
    clock.time += 599_000
    peers.announced('a', announced({ round: 1 }))
    expect(peers.medianRound()).to.equal(1)
    clock.time += 2_000
    expect(peers.medianRound()).to.equal(undefined)
    peers.announced('a', announced({ round: 2 }))
    expect(peers.medianRound()).to.equal(2)
  })

  it('is not held up by one that goes back and forth, nor by one that gets another key', () => {
    const roots = new Map([['next', 'a']])
    const table = new PeerTable(() => clock.time, 0, (id) => roots.get(id) ?? id)
    table.connected('a', [])
    for (let minute = 0; minute <= 10; minute++) {
      table.announced('a', announced({ round: 1 + minute % 2 }))
      expect(table.medianBelow(), `after ${minute} minutes`).to.equal(minute === 0 ? 1 : 2)
      clock.time += 60_000
    }
    table.announced('a', announced({ round: 1 }))
    expect(table.medianBelow()).to.equal(undefined)
    expect(table.landings).to.equal(2)
    table.disconnected('a')
    table.connected('next', [])
    table.announced('next', announced({ round: 2 }))
    expect(table.medianBelow()).to.equal(undefined)
    expect(table.view().map(({ peerId }) => peerId), 'counted once').to.deep.equal(['next'])
    table.announced('next', announced({ round: 3 }))
    expect(table.medianBelow()).to.equal(3)
  })

  it('neither asks nor awaits sites that left of their own will, or have another schema', () => {
    for (const id of ['a', 'b', 'c']) peers.connected(id, [])
    peers.announced('a', announced({ phase: 'stopped' }))
    peers.announced('b', announced({ phase: 'done' }))
    peers.markForeign('c')
    expect(peers.candidates()).to.be.empty
    expect(peers.unfinished()).to.be.empty
    expect(peers.expectsSomebody()).to.equal(false)
    peers.announced('a', announced({ phase: 'G' }))
    expect(peers.candidates()).to.deep.equal(['a'])
    expect(peers.unfinished()).to.deep.equal(['a'])
  })

  it('knows whether half of all are slow, this site one of them', () => {
    for (const id of ['a', 'b', 'c']) {
      peers.connected(id, [])
      peers.announced(id, announced({ pace: 1 }))
    }
    expect(peers.areHalfSlow()).to.equal(false)
    peers.announced('b', announced({ pace: 0.2 }))
    expect(peers.areHalfSlow()).to.equal(true)
    peers.connected('d', [])
    peers.announced('d', announced({}))
    expect(peers.areHalfSlow()).to.equal(false)
  })

  it('knows for how long the first to finish is there for this site', () => {
    expect(peers.finishedForMs()).to.equal(0)
    for (const id of ['a', 'b']) peers.connected(id, [])
    peers.announced('a', announced({ phase: 'L' }))
    clock.time += 7_000
    expect(peers.finishedForMs()).to.equal(0)
    peers.announced('a', announced({ phase: 'cool-down' }))
    clock.time += 5_000
    for (const id of ['a', 'b']) peers.announced(id, announced({ phase: 'cool-down' }))
    clock.time += 1_000
    expect(peers.finishedForMs()).to.equal(6_000)
    peers.announced('a', announced({ phase: 'G' }))
    expect(peers.finishedForMs()).to.equal(1_000)
    peers.disconnected('b')
    clock.time += 21_000
    expect(peers.finishedForMs()).to.equal(0)
  })

  it('neither asks nor awaits a site of a version apart, whose sketch still counts, until it runs another', () => {
    peers.runs('a', { software: '0.3.0', isApart: true })
    expect(peers.view(), 'nobody is known by what it runs alone').to.be.empty
    for (const id of ['a', 'b']) {
      peers.connected(id, [])
      peers.announced(id, announced({ round: id === 'a' ? 9 : 1 }))
    }
    peers.runs('a', { software: '0.3.0', isApart: true })
    expect(peers.candidates()).to.deep.equal(['b'])
    expect(peers.farAhead(1, 3)).to.be.empty
    expect(peers.unfinished()).to.deep.equal(['b'])
    expect(peers.ring('self')).to.deep.equal(['b', 'self'])
    expect(peers.medianRound()).to.equal(1)
    expect(peers.sketches('a')).to.have.length(2)
    expect(peers.view()[0]).to.include({ peerId: 'a', software: '0.3.0' })
    expect(peers.view()[1]).to.not.have.property('software')
    peers.disconnected('b')
    peers.announced('b', announced({ phase: 'done' }))
    expect(peers.expectsSomebody()).to.equal(false)
    peers.runs('a', { software: '0.2.0', isApart: false })
    expect(peers.candidates()).to.deep.equal(['a'])
    expect(peers.expectsSomebody()).to.equal(true)
  })

  it('prefers sites that announced themselves to those that may still be loading', () => {
    for (const id of ['a', 'b']) peers.connected(id, [])
    expect(peers.candidates()).to.deep.equal(['a', 'b'])
    peers.announced('b', announced())
    expect(peers.candidates()).to.deep.equal(['b'])
    peers.disconnected('b')
    expect(peers.candidates()).to.deep.equal(['a'])
  })

  it('estimates with the sketch of every site heard of within 20 s, connected or not: others pass announcements on', () => {
    peers.connected('quiet', [])
    peers.connected('a', [])
    for (const id of ['a', 'b']) peers.announced(id, announced())
    expect(peers.sketches('a')).to.have.length(2)
    peers.disconnected('a')
    clock.time += 19_000
    peers.announced('b', announced())
    expect(peers.sketches('a')).to.have.length(2)
    clock.time += 2_000
    expect(peers.sketches('a')).to.have.length(1)
  })

  it('leaves sites that announced nothing for 20 s out of the estimate, though they are connected and exchange, and ' +
    'sites of another schema', () => {
    for (const id of ['silent', 'foreign', 'heard']) {
      peers.connected(id, [])
      peers.announced(id, announced())
    }
    peers.markForeign('foreign')
    peers.announced('never asked', announced({ schemaHash: 'b' }))
    expect(peers.sketches('a')).to.have.length(2)
    clock.time += 21_000
    peers.exchanged('silent')
    peers.announced('heard', announced({ sketch: new Float32Array(64).fill(1) }))
    peers.announced('foreign', announced())
    expect(peers.sketches('a')).to.deep.equal([new Float32Array(64).fill(1)])
  })

  it('shows Dice by class by the names of the federation, where a site speaks of as many', () => {
    peers.announced('b', announced({ classDice: [0.5, undefined] }))
    expect(peers.view([], ['core', 'disc'])[0]?.classes).to.deep.equal({ core: 0.5 })
    expect(peers.view([], ['core'])[0]?.classes).to.equal(undefined)
  })

  it('knows how the masks of sites agree with the model, of those that said so lately', () => {
    const labelFits = { asIs: [[1, 2]], exchanged: [] } as const
    for (const id of ['silent', 'heard']) peers.announced(id, announced({ labelFits }))
    peers.announced('of one class', announced())
    clock.time += 21_000
    peers.announced('heard', announced({ labelFits }))
    expect([...peers.labelFits()]).to.deep.equal([['heard', labelFits]])
  })

  it('forgets the site not seen longest beyond 1,024, never a connected one', () => {
    peers.connected('here', [])
    for (let i = 0; i < 2_000; i++) {
      clock.time++
      peers.exchanged(`${i}`)
    }
    const ids = peers.view().map(({ peerId }) => peerId)
    expect(ids).to.have.length(1_024)
    expect([ids.includes('here'), ids.includes('0'), ids.includes('1999')]).to.deep.equal([true, false, true])
  })
})
