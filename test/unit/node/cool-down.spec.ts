import { expect } from 'chai'
import { coolDown, type CoolDownEnd, type CoolDownInit } from '../../../src/rounds/cool-down.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { announced, FakeClock } from './fakes.ts'

const { signal } = new AbortController()

describe('cool-down', () => {
  let clock: FakeClock
  let peers: PeerTable
  let distance: number | undefined
  let sweeps: number
  let asked: number
  let isSettling: boolean
  let inDoubt: boolean
  let isOpen: boolean
  let waitedFor: (readonly string[])[]

  beforeEach(() => {
    waitedFor = []
    clock = new FakeClock()
    peers = new PeerTable(clock.now)
    distance = 0.5
    sweeps = 0
    asked = 0
    isSettling = false
    inDoubt = false
    isOpen = false
  })

  async function run (): Promise<{ end: CoolDownEnd, seconds: number }> {
    const start = clock.time
    const gossip: CoolDownInit['gossip'] = {
      initiate: async ({ onlyDue = false }) => {
        expect(onlyDue && !isSettling).to.equal(true)
        asked++
        return 0
      },
      rewind: () => { isSettling = false },
      sweep: async () => {
        isSettling = true
        sweeps++
      }
    }
    const end = await coolDown({
      gossip,
      peers,
      clock,
      distance: () => distance,
      isInDoubt: () => inDoubt,
      limits: { distance: 0.02, seconds: 60 },
      isOpen,
      onWaiting: (ids) => { waitedFor.push(ids) }
    }, signal)
    return { end, seconds: (clock.time - start) / 1_000 }
  }

  it('ends at once for a site that is alone', async () => {
    clock.time += 20_000
    expect(await run()).to.deep.equal({ end: 'alone', seconds: 0 })
  })

  it('sweeps until the sites agree, and looks only when the others have said where they are', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    clock.onSleep = () => { if (sweeps === 3) distance = 0.01 }
    const { end, seconds } = await run()
    expect(end).to.equal('close enough')
    expect(sweeps).to.equal(3)
    expect(seconds).to.be.within(1.2 + 1.5 + 3 + 6, 12.2)
  })

  it('sweeps once where the sites agree already: all leave with the same adapter', async () => {
    distance = 0.001
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    expect((await run()).end).to.equal('close enough')
    expect(sweeps).to.equal(1)
  })

  it('stays until what is in doubt with somebody who is there is settled', async () => {
    distance = 0.001
    inDoubt = true
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    clock.onSleep = () => { if (clock.time > 1_030_000) inDoubt = false }
    const { end, seconds } = await run()
    expect(end).to.equal('close enough')
    expect(seconds).to.be.within(30, 30.5)
    expect(sweeps).to.equal(1)
  })

  it('sweeps ever more rarely where somebody stays far off', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    expect((await run()).end).to.equal('time limit')
    expect(sweeps).to.be.within(5, 6)
  })

  it('stays for a site that still trains, and begins exchanges only where one is due and the sites are apart', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'L' }))
    clock.onSleep = () => {
      if (clock.sleeps.length === 30) distance = 0.001
      if (clock.sleeps.length === 50) peers.announced('b', announced({ phase: 'cool-down' }))
    }
    expect((await run()).end).to.equal('close enough')
    expect(asked).to.equal(30)
    expect(sweeps).to.equal(1)
    expect(waitedFor, 'said once each').to.deep.equal([['b'], []])
  })

  it('does not sweep on when somebody trains again', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    clock.onSleep = () => { if (sweeps === 1) peers.announced('b', announced({ phase: 'G' })) }
    expect((await run()).end).to.equal('time limit')
    expect(sweeps).to.equal(1)
    expect(isSettling).to.equal(false)
  })

  it('stays a while for a site that was killed and may come back, but not for ever', async () => {
    distance = 0.001
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'G' }))
    peers.connected('c', [])
    peers.announced('c', announced({ phase: 'cool-down' }))
    peers.disconnected('b')
    const { end, seconds } = await run()
    expect(end).to.equal('close enough')
    expect(seconds).to.be.within(19.5, 22)
  })

  it('ends when the others have finished and left', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    clock.onSleep = () => { if (clock.sleeps.length === 5) peers.announced('b', announced({ phase: 'done' })) }
    expect((await run()).end).to.equal('the others have left')
  })

  it('waits to the time limit for those who were there, where nobody is there any more', async () => {
    for (const phase of ['G', 'cool-down'] as const) {
      peers.connected('b', [])
      peers.announced('b', announced({ phase }))
      peers.disconnected('b')
      expect(await run()).to.deep.equal({ end: 'time limit', seconds: 60 })
    }
    expect(waitedFor).to.deep.include(['b'])
  })

  it('goes on with them when they are back in time', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    peers.disconnected('b')
    distance = 0.001
    const start = clock.time
    clock.onSleep = () => { if (clock.time - start > 45_000) peers.connected('b', []) }
    expect(await run()).to.include({ end: 'close enough' })
    expect(sweeps).to.be.at.least(1)
  })

  it('waits for nobody that was stopped, or is gone where others have finished', async () => {
    for (const [id, phase] of [['b', 'stopped'], ['c', 'G']] as const) {
      peers.connected(id, [])
      peers.announced(id, announced({ phase }))
      peers.disconnected(id)
    }
    clock.time += 20_000
    peers.connected('d', [])
    peers.announced('d', announced({ phase: 'done' }))
    expect(await run()).to.deep.equal({ end: 'the others have left', seconds: 0 })
  })

  it('stays to the time limit for those who come late, where it is told to', async () => {
    clock.time += 20_000
    isOpen = true
    expect(await run()).to.deep.equal({ end: 'time limit', seconds: 60 })
  })

  it('ends at the time limit', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    expect(await run()).to.deep.equal({ end: 'time limit', seconds: 60 })
  })
})
