import { expect } from 'chai'
import { coolDown, type CoolDownEnd } from '../../../src/rounds/cool-down.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { announced, FakeClock } from './fakes.ts'

const { signal } = new AbortController()

describe('cool-down', () => {
  let clock: FakeClock
  let peers: PeerTable
  let distance: number | undefined
  let initiations: number
  let inDoubt: boolean

  beforeEach(() => {
    clock = new FakeClock()
    peers = new PeerTable(clock.now)
    distance = 0.5
    initiations = 0
    inDoubt = false
  })

  async function run (): Promise<{ end: CoolDownEnd, seconds: number }> {
    const start = clock.time
    const gossip = {
      initiate: async () => {
        initiations++
        return 1
      }
    }
    const end = await coolDown({
      gossip,
      peers,
      clock,
      distance: () => distance,
      isInDoubt: () => inDoubt,
      limits: { distance: 0.02, seconds: 60 }
    }, signal)
    return { end, seconds: (clock.time - start) / 1_000 }
  }

  it('ends at once for a site that is alone', async () => {
    clock.time += 20_000
    expect(await run()).to.deep.equal({ end: 'alone', seconds: 0 })
  })

  it('exchanges until the sites agree', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    clock.onSleep = () => { if (initiations === 20) distance = 0.01 }
    const { end } = await run()
    expect(end).to.equal('close enough')
    expect(initiations).to.equal(20)
  })

  it('stays until what is in doubt with somebody who is there is settled', async () => {
    distance = 0.001
    inDoubt = true
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    clock.onSleep = () => { if (initiations === 30) inDoubt = false }
    expect((await run()).end).to.equal('close enough')
    expect(initiations).to.equal(30)
  })

  it('stays for a site that still trains, however close the adapters are', async () => {
    distance = 0.001
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'L' }))
    clock.onSleep = () => { if (clock.sleeps.length === 50) peers.announced('b', announced({ phase: 'cool-down' })) }
    expect((await run()).end).to.equal('close enough')
    expect(initiations).to.equal(50)
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
    expect(seconds).to.be.within(19.5, 20.5)
  })

  it('ends when the others have finished and left', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    clock.onSleep = () => { if (clock.sleeps.length === 5) peers.announced('b', announced({ phase: 'done' })) }
    expect((await run()).end).to.equal('alone')
  })

  it('ends at the time limit', async () => {
    peers.connected('b', [])
    peers.announced('b', announced({ phase: 'cool-down' }))
    expect(await run()).to.deep.equal({ end: 'time limit', seconds: 60 })
  })
})
