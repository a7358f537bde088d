import { expect } from 'chai'
import type { MemberView } from '../../../src/federation/membership/members-view.ts'
import { factsOf, type Known } from '../../../src/page/facts.ts'
import { picturesPart, sitePart, type SitePart } from '../../../src/report/site-page.ts'
import type { ConditionView, PeerView } from '../../../src/rounds/status.ts'
import { WELL } from '../node/metrics/reading.ts'

const ID = (letter: string): string => `12D3KooW${letter.repeat(44)}`
const member = (letter: string, over: Partial<MemberView> = {}): MemberView =>
  ({ peerId: ID(letter), name: `Hospital ${letter}`, role: 'member', standing: 'member', connected: true, ...over })
const peer = (letter: string, over: Partial<PeerView> = {}): PeerView =>
  ({ peerId: ID(letter), connected: true, addresses: [], exchanges: 0, suspect: false, ...over })

const KNOWN: Known = {
  federation: 'Prostate North',
  isRunning: true,
  at: '2026-11-30T07:00:00.000Z',
  status: WELL.status,
  peers: [],
  members: [member('S', { isSelf: true, connected: false })],
  records: [],
  ledger: { entries: [], exchanged: new Map() }
}

describe('what the page of a site says', () => {
  it('keeps four facts of a hospital apart: registered, connected, trained, exchanged', () => {
    const { sites: { round, rows } } = factsOf({
      ...KNOWN,
      members: [
        ...KNOWN.members,
        member('A'),
        member('B', { lastRound: 2, lastSeen: '2026-11-30T06:00:00.000Z', lastExchange: '2026-11-29T06:00:00.000Z' }),
        member('C', { standing: 'invited' }),
        member('D', { standing: 'revoked' }),
        member('E'),
        member('F')
      ],
      peers: [
        peer('A', { round: 4, phase: 'G' }),
        peer('B', { connected: false, round: 2, phase: 'L', lastSeen: '2026-11-30T06:00:00.000Z', absent: true }),
        peer('E', { round: 3, phase: 'G', suspect: true }),
        peer('F', { reads: true, round: 3, phase: 'reading' })
      ],
      ledger: { entries: [], exchanged: new Map([[ID('A'), 2], [ID('E'), 1]]) }
    })
    expect(round).to.equal(3)
    const said = rows.map(({ registered, connected, trained, exchanged }) =>
      [registered, connected, trained, exchanged].map(({ text }) => text))
    expect(said).to.deep.equal([
      ['member', '–', 'yes', '–'],
      ['member', 'yes', 'yes; now in round 4', 'yes, 2 times'],
      ['member', 'no; last seen 2026-11-30 06:00', 'not yet; in round 2', 'no; last on 2026-11-29 06:00'],
      ['invited', 'never seen', 'not heard yet', 'not yet'],
      ['revoked', 'never seen', 'not heard yet', 'not yet'],
      ['member', 'yes; its adapter is far off again and again', 'training now', 'yes'],
      ['member', 'yes', 'it reads', 'not yet']
    ])
  })

  it('says what is wrong, of whom by name, since when, and what to do', () => {
    const sentence = `the clock of site ${ID('A')} is 30 minutes ahead of this site's: set the one that is wrong`
    const conditions = [{ kind: 'clock_of_peer' as const, sentence, since: '2026-11-30T06:59:30.000Z' }]
    const absent = peer('B', { connected: false, round: 2, lastSeen: '2026-11-30T06:00:00.000Z', absent: true })
    const members = [...KNOWN.members, member('A'), member('B')]
    const { warnings } = factsOf({ ...KNOWN, status: { ...WELL.status, conditions }, peers: [absent], members })
    expect(warnings).to.have.length(2)
    expect(warnings[0]).to.deep.include({ title: "Another site's clock, or this one's, is wrong", since: '2026-11-30 06:59' })
    expect(warnings[0]!.sentence).to.include('The clock of site Hospital A is 30 minutes')
    expect(warnings[0]!.todo).to.include('have the wrong one set')
    expect(warnings[1]!.sentence).to.equal('Hospital B was in round 2 when it was heard last.')
  })

  it('begins with what a person must hear of', () => {
    const kinds: ConditionView['kind'][] = ['bootstrap', undefined, 'alone', 'steps']
    const conditions = kinds.map((kind, i) =>
      ({ ...(kind == null ? {} : { kind }), sentence: 'x', since: `2026-11-30T06:0${i}:00.000Z` }))
    const { warnings } = factsOf({ ...KNOWN, status: { ...WELL.status, conditions } })
    expect(warnings.map(({ since }) => since.slice(-2))).to.deep.equal(['02', '03', '00', '01'])
  })

  it('says in place of charts that nothing went out, and that nobody else is known', () => {
    const zeros = { lossG: 0, lossL: 0, exchanges: 0, bytesSent: 0, bytesReceived: 0 }
    const record: Known['records'][number] = { t: '2026-11-30T07:00:00.000Z', round: 1, ...zeros }
    const none = factsOf({ ...KNOWN, records: [record] })
    expect(sitePart('traffic', none.traffic)).to.include('there was no exchange').and.not.to.include('<svg viewBox="0 0 980')
    expect(sitePart('curves', none.curves)).to.include('Nothing is known of another hospital')
    const some = factsOf({ ...KNOWN, records: [{ ...record, bytesSent: 140_200, bytesReceived: 900 }] }).traffic
    expect(sitePart('traffic', some)).to.include('aria-label="Chart: round 1, 140.2 kB sent, 0.9 kB received"')
    const many = { bytes: [{ name: 'round 2', bytesSent: 3.14e6, bytesReceived: 140_000 }] }
    expect(sitePart('traffic', many)).to.include('3.1 MB sent, 0.1 MB received').and.to.include('>MB<')
  })

  it('says of a site that trains without whole masks, or reads, that it has no Dice, and draws no curve for it', () => {
    const { dice: _, ...well } = WELL.status
    for (const [over, sentence] of [
      [{ unscored: true }, 'no image that is held back has a whole mask'],
      [{ reads: true }, 'this site has no labels to score by'],
      [{}, 'before the first round has ended']
    ] as const) {
      const { now, figures, curves } = factsOf({ ...KNOWN, status: { ...well, ...over } })
      expect(sitePart('curves', curves)).to.include('Nothing to draw').and.to.include(sentence)
      expect(now.lines.some((line) => line.includes('has no Dice'))).to.equal('unscored' in over || 'reads' in over)
      expect(figures.some(([, name]) => name.includes('Dice'))).to.equal(false)
    }
  })

  it('shows what was known last where the daemon does not answer, and nothing as if it were now', () => {
    const { now } = factsOf({ ...KNOWN, isRunning: false, status: { ...WELL.status, phase: 'stopped' } })
    expect(now.stale).to.include('This is what it said last, on 2026-11-30 07:00')
    expect(now.headline).to.equal('Round 3 of 10: when it was last heard, it has stopped.')
    const { connected } = factsOf({ ...KNOWN, isRunning: false, members: [member('S', { isSelf: true }), member('A')], peers: [peer('A')] })
      .sites.rows[1]!
    expect(connected).to.deep.equal({ text: 'never seen', mark: 'missed' })
    const never = factsOf({ ...KNOWN, isRunning: false, status: undefined, at: undefined })
    expect(never.now.stale).to.include('nothing of an earlier run is kept')
    expect(never.warnings).to.deep.equal([])
  })

  it('draws long trainings by few points, and intervals as bands', () => {
    const record = (round: number): Known['records'][number] => ({
      t: '2026-11-30T07:00:00.000Z',
      round,
      lossG: 0,
      lossL: 0,
      exchanges: 1,
      bytesSent: 1e6,
      bytesReceived: 2e6,
      consensus: 0.1,
      dice: { frozen: 0.3, global: 0.6, personal: 0.7 },
      intervals: { frozen: [0.2, 0.4], global: [0.5, 0.7], personal: [0.6, 0.8] }
    })
    const { curves } = factsOf({ ...KNOWN, records: Array.from({ length: 1_000 }, (_, i) => record(i + 1)) })
    expect(curves.history).to.have.length.within(100, 120)
    expect(curves.history.at(-1)!.round).to.equal(1_000)
    expect(curves.without).to.equal('')
    expect(sitePart('curves', curves).match(/opacity="0\.(22|12)"/g), 'two bands').to.have.length(2)
    const bare = factsOf({ ...KNOWN, records: [1, 2].map((round) => ({ ...record(round), intervals: undefined })) }).curves
    expect(bare.without).to.include('No intervals: fewer than five patients')
    expect(sitePart('curves', bare)).not.to.match(/opacity="0\.(22|12)"/)
  })

  it('escapes what others named, and has no style of its own in any part', () => {
    const evil = '<img src=x onerror=alert(1)>'
    const facts = factsOf({ ...KNOWN, federation: evil, members: [...KNOWN.members, member('A', { name: evil })] })
    const parts = (Object.keys(facts) as SitePart[]).map((part) => sitePart(part, facts[part])).join('')
    expect(parts).to.include('&lt;img src=x').and.not.to.match(/<img|<style| style=|<script/)
    expect(picturesPart({ problem: evil })).not.to.include('<img')
  })
})
