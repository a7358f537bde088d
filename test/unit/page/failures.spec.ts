import { expect } from 'chai'
import { describeSite } from '../../../src/node/control/describe-site.ts'
import { DiskWatch } from '../../../src/node/disk-watch.ts'
import { ExpiryWatch } from '../../../src/node/expiry-watch.ts'
import { factsOf } from '../../../src/page/facts.ts'
import { sitePart } from '../../../src/report/site-page.ts'
import { Arrival } from '../../../src/rounds/arrival.ts'
import { ClockSkew } from '../../../src/rounds/clock-skew.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'
import { PeerTable } from '../../../src/rounds/peer-table.ts'
import { SiteRecord } from '../../../src/rounds/site-record.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { WELL } from '../node/metrics/reading.ts'

const OTHER = WELL.status.peerId
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** What fails, as it is raised where it is found, and what stands on the page then. */
const FAILURES: Readonly<Record<string, readonly [(notices: Notices) => unknown, string]>> = {
  "a partner's clock is off": [(notices) => {
    new ClockSkew(notices).heard(OTHER, HOUR_MS, 0)
  }, "Another site's clock, or this one's, is wrong"],
  'the disk is full': [async (notices) => { await new DiskWatch({ free: async () => 1e6, notices }).check() }, 'Little space is left'],
  'its certificate ends': [(notices) => {
    new ExpiryWatch({ validTo: () => new Date(10 * DAY_MS).toISOString(), invited: () => [], notices, now: () => 0 }).check()
  }, 'ends within 30 days'],
  'it is alone': [(notices) => {
    notices.warn('alone', 'no other site can be reached')
  }, 'No other site can be reached, or none exchanges'],
  'its steps do not arrive': [(notices) => {
    const arrival = new Arrival(notices)
    for (const trained of [4, 8, 12]) arrival.ended({ trained, arrived: 0, lost: 0 }, () => 'nobody answers')
  }, "This site's training reaches no other site"],
  'a liar is named': [(notices) => { notices.warn(`clipped ${OTHER}`, `site ${OTHER} is far off`) }, 'it is named and asked last'],
  'ledgers disagree': [(notices) => {
    notices.warn(`ledger ${OTHER}`, 'they differ in 2 places')
  }, "This site's ledger and another one's differ"],
  'the trainer crashes in a loop': [(notices) => {
    notices.warn('trainer', 'it ended, 3 times so far')
  }, 'The trainer process ended']
}

describe('the page of a site to which something happens', () => {
  function shown (notices: Notices, peers: readonly PeerView[] = []): string {
    const status = describeSite({
      site: {
        name: 'Mercy',
        peerId: OTHER,
        federation: { id: 'f', document: { training: { rounds: 3 } } } as never,
        record: new SiteRecord(),
        notices
      },
      network: undefined,
      averager: undefined,
      images: undefined,
      joined: undefined,
      amendments: [],
      publications: undefined,
      consensus: undefined,
      eventLoopP99Ms: 1,
      now: Date.UTC(2026, 10, 30)
    })
    const ledger = { entries: [], exchanged: new Map<string, number>() }
    const { warnings } = factsOf({ federation: 'f', isRunning: true, at: undefined, status, peers, members: [], records: [], ledger })
    return sitePart('warnings', warnings).replaceAll('&#39;', "'")
  }

  it('says that nothing is wrong while nothing is', () => {
    expect(shown(new Notices(createLogger('silent')))).to.include('Nothing is wrong that this site knows of.')
  })

  for (const [what, [fail, words]] of Object.entries(FAILURES)) {
    it(`says once that ${what}, and what to do`, async () => {
      const notices = new Notices(createLogger('silent'))
      await fail(notices)
      expect(shown(notices)).to.include(words).and.to.match(/<h2>Warnings: 1<\/h2>[^]*<b>What to do:<\/b> \S/)
    })
  }

  it('says that a partner is dead, as the table of peers knows it', () => {
    let now = 0
    const peers = new PeerTable(() => now)
    peers.announced(OTHER, { round: 2, phase: 'G', schemaHash: '', sketch: new Float32Array(1) })
    expect(shown(new Notices(createLogger('silent')), peers.view())).to.include('Nothing is wrong')
    now = HOUR_MS
    expect(shown(new Notices(createLogger('silent')), peers.view())).to.include('A hospital that trained is gone without a farewell')
  })
})
