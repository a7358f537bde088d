import { expect } from 'chai'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import { readAlong, type ReadingSite } from '../../../src/rounds/read-along.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { SiteRecord } from '../../../src/rounds/site-record.ts'
import { announced, FakeClock, quietNotices } from './fakes.ts'

const SIGNAL = new AbortController().signal

/** A site without labels beside one that gets a round farther every third second; `reads` fail as often as is said. */
function scene ({ rounds = 3, failures = 0 } = {}) {
  const clock = new FakeClock()
  const peers = new PeerTable(clock.now)
  const [records, saved, phases]: [RoundRecord[], number[], string[]] = [[], [], []]
  const averager = { round: 0, snapshot: () => Float32Array.of(averager.round) }
  const notices = quietNotices()
  let left = failures
  const site: ReadingSite = {
    averager,
    peers,
    clock,
    notices,
    gossip: {
      initiate: () => {
        if (left-- > 0) return Promise.resolve(0)
        averager.round = peers.medianRound()!
        return Promise.resolve(1)
      }
    },
    store: { saveRound: async ({ round }) => { saved.push(round) } },
    checkpoint: { save: async () => {}, state: { values: new Float32Array(), round: 0, weight: 0 } },
    metrics: {
      append: async (record) => { records.push(record) },
      get finishedRounds () { return records.at(-1)?.round ?? 0 }
    },
    record: new SiteRecord([], true),
    distance: () => undefined,
    onPhase: (phase) => { phases.push(phase) },
    isAmended: () => Promise.resolve(false)
  }
  const begun = clock.time
  const tell = (): void => {
    const round = Math.floor((clock.time - begun) / 3_000)
    peers.announced('a', announced({ round: Math.min(rounds, round), phase: round > rounds ? 'cool-down' : 'G' }))
  }
  return { clock, peers, site, records, saved, phases, notices, tell }
}

describe('readAlong', () => {
  it('reads once for each round that the others come to, records it without Dice, and ends with theirs', async () => {
    const { clock, peers, site, records, saved, phases, tell } = scene({ failures: 1 })
    peers.connected('a', [])
    clock.onSleep = tell
    expect(await readAlong(site, SIGNAL)).to.equal('finished')
    expect(records.map(({ round }) => round)).to.deep.equal([1, 2, 3])
    expect(records.every((record) => !('dice' in record))).to.equal(true)
    expect(saved).to.deep.equal([1, 2, 3])
    expect(new Set(phases)).to.deep.equal(new Set(['reading']))
  })

  it('waits for somebody, though all have finished, until it has read from one', async () => {
    const { clock, peers, site, records, notices, tell } = scene()
    let seconds = 0
    clock.onSleep = () => {
      seconds++
      if (seconds === 3) expect(notices.standing.join()).to.include('no other site can be reached')
      if (seconds < 30) return
      peers.connected('a', [])
      tell()
    }
    expect(await readAlong(site, SIGNAL)).to.equal('finished')
    expect(records.map(({ round }) => round)).to.deep.equal([3])
    expect(notices.standing).to.deep.equal([])
  })

  it('goes on with what it has read once the others have left', async () => {
    const { clock, peers, site, records, tell } = scene()
    peers.connected('a', [])
    clock.onSleep = () => {
      if (records.length === 0) tell()
      else {
        peers.announced('a', announced({ round: 1, phase: 'done' }))
        peers.disconnected('a')
      }
    }
    expect(await readAlong(site, SIGNAL)).to.equal('finished')
    expect(records.map(({ round }) => round)).to.deep.equal([1])
  })
})
