import { expect } from 'chai'
import { RefusedError } from '../../../src/errors.ts'
import { GroupLoop, type LeadGroup } from '../../../src/rounds/group-loop.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts'
import { announced } from './fakes.ts'

describe('GroupLoop', () => {
  let clock: VirtualClock
  let peers: PeerTable
  let isFresh: boolean
  const secure = { minimum: 3, size: 5, patience: 3, bound: 1, precision: 1 } as never

  beforeEach(() => {
    clock = new VirtualClock()
    peers = new PeerTable(() => clock.now())
    isFresh = true
    for (const id of ['b', 'c']) {
      peers.connected(id, [])
      peers.announced(id, { ...announced(), phase: 'cool-down', steps: { trained: 4, arrived: 2 } })
    }
  })

  function create (lead: LeadGroup): GroupLoop {
    return new GroupLoop({
      sealing: { get isFresh () { return isFresh }, isOpen: false, secure },
      peers,
      steps: () => ({ trained: 4 }),
      self: 'a',
      federationId: 'f',
      lead,
      clock,
      random: () => 0.5
    })
  }

  /** Leads; `c` declines so many times for this reason. Resolves when the wait for a group is over. */
  async function run (reason: Parameters<Parameters<LeadGroup>[1]>[1], times: number): Promise<{ calls: string[][], waited: number }> {
    const calls: string[][] = []
    const began = clock.now()
    const loop = create(async (invited, onDeclined) => {
      calls.push([...invited])
      if (calls.length > times) {
        isFresh = false
        return
      }
      if (invited.includes('c')) onDeclined('c', reason)
      throw new RefusedError('TOO_FEW')
    })
    const running = loop.start()
    let waited = -1
    const waiting = loop.wait({ withinMs: 60_000, signal: new AbortController().signal }).then(() => { waited = clock.now() - began })
    await clock.run(began + 70_000)
    const stopping = loop.stop()
    await clock.run(clock.now() + 1_000)
    await Promise.all([running, waiting, stopping])
    return { calls, waited }
  }

  for (const reason of ['BUSY', 'UNREACHABLE', 'NOT_READY', 'RATE_LIMITED']) {
    it(`waits for a site that is ${reason} for a moment, and invites it again`, async () => {
      const { calls, waited } = await run(reason, 1)
      expect(calls).to.have.length(2)
      expect(calls[1]).to.have.members(['b', 'c'])
      expect(waited).to.be.within(5_000, 20_000)
    })
  }

  it('no longer waits for one whose training may have been seen already', async () => {
    const { calls, waited } = await run('NOT_READY', 100)
    expect(calls.filter((invited) => invited.includes('c'))).to.have.length(3)
    expect(waited).to.be.below(40_000)
  })

  it('waits for a site whose connection is away for a moment', async () => {
    peers.announced('b', { ...announced(), steps: { trained: 4, arrived: 2 } })
    peers.disconnected('b')
    expect(create(async () => {}).mayCarry).to.equal(true)
  })

  it('does not wait where the others are too few', () => {
    peers.announced('c', { ...announced(), phase: 'cool-down', steps: { trained: 4, arrived: 4 } })
    expect(create(async () => {}).mayCarry).to.equal(false)
  })
})
