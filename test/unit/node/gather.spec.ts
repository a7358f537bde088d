import { expect } from 'chai'
import { gather } from '../../../src/rounds/gather.ts'
import type { Notices } from '../../../src/rounds/notices.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { announced, FakeClock, quietNotices } from './fakes.ts'

const { signal } = new AbortController()

describe('before its first round a site', () => {
  let clock: FakeClock
  let peers: PeerTable
  let notices: Notices
  let waited: number

  beforeEach(() => {
    clock = new FakeClock()
    peers = new PeerTable(clock.now)
    notices = quietNotices()
    waited = 0
  })

  async function run (waitFor: number): Promise<number> {
    const start = clock.time
    await gather({ peers, notices, clock, waitFor, onWaiting: () => { waited++ } }, signal)
    return (clock.time - start) / 1_000
  }

  function comes (id: string, round = 0): void {
    peers.connected(id, [])
    peers.announced(id, announced({ round, phase: 'waiting' }))
  }

  it('waits for as many members as it was told, however late they come, and says how many are there', async () => {
    const said: string[] = []
    clock.onSleep = () => {
      said.push(notices.list.at(-1)!)
      if (clock.sleeps.length === 1_000) comes('b')
      // Loads its data: it could not answer in the first round.
      if (clock.sleeps.length === 1_500) peers.connected('c', [])
      if (clock.sleeps.length === 2_000) comes('c')
    }
    expect(await run(3)).to.equal(500)
    expect(waited).to.equal(1)
    expect(said[0]).to.match(/: 1 of 3 is there, itself counted/)
    expect(said.at(-1)).to.match(/: 2 of 3 are there/)
  })

  it('goes on at once where they are there, or where it is to wait for nobody', async () => {
    expect(await run(1)).to.equal(0)
    comes('b')
    expect(await run(2)).to.equal(0)
    expect([waited, notices.list]).to.deep.equal([0, []])
  })

  it('does not wait in a federation that had begun before it came', async () => {
    comes('b', 7)
    expect(await run(5)).to.equal(0)
  })

  it('waits on where another one, which was told a smaller number, begins under its eyes', async () => {
    comes('b')
    clock.onSleep = () => {
      peers.announced('b', announced({ round: 3 }))
      if (clock.sleeps.length === 100) comes('c')
    }
    expect(await run(3)).to.equal(25)
  })
})
