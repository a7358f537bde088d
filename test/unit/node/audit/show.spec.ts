import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { addressClass } from '../../../../src/audit/address-class.ts'
import { Condenser } from '../../../../src/audit/condenser.ts'
import type { EntryContent, LedgerEntry } from '../../../../src/audit/entry.ts'
import { describeEntry, matches, parseSince } from '../../../../src/audit/show.ts'
import { UsageError } from '../../../../src/errors.ts'
import { bothSides, refusal } from './fixtures.ts'

const entry = (content: EntryContent, t = '2026-03-01T08:00:00.000Z'): LedgerEntry => ({ ...content, seq: 7, t, prev: '0'.repeat(64) })

describe('what the ledger keeps and shows', () => {
  it('filters by time and peer', () => {
    const [exchange] = bothSides(1, 'A', 'B-42')
    expect(matches(entry(exchange), { since: undefined, peer: '42' })).to.equal(true)
    expect(matches(entry(exchange), { since: undefined, peer: 'A' })).to.equal(false)
    expect(matches(entry(refusal('x')), { since: undefined, peer: 'stranger' })).to.equal(true)
    expect(matches(entry({ kind: 'start' }), { since: undefined, peer: 'x' })).to.equal(false)
    expect(matches(entry({ kind: 'start' }), { since: Date.parse('2026-03-01T08:00:01Z'), peer: undefined })).to.equal(false)
  })

  it('understands dates and times back', () => {
    expect(parseSince('90m', 10_000_000)).to.equal(10_000_000 - 90 * 60_000)
    expect(parseSince('2026-03-01T08:00:00Z', 0)).to.equal(Date.parse('2026-03-01T08:00:00Z'))
    expect(() => parseSince('yesterday', 0)).to.throw(UsageError)
  })

  it('has one line per entry', () => {
    expect(describeEntry(entry({ kind: 'round', round: 2, exchanges: 3, bytesSent: 1, bytesReceived: 2 }))).to.equal(
      '     7  2026-03-01T08:00:00.000Z  round       round 2, exchanges 3, bytesSent 1, bytesReceived 2'
    )
  })

  it('tells a class of address and no address', () => {
    for (
      const [address, expected] of [
        ['/ip4/127.0.0.1/tcp/1', 'loopback'],
        ['/ip6/::1/tcp/1', 'loopback'],
        ['/ip4/10.1.2.3/tcp/1', 'private'],
        ['/ip4/172.20.0.1/tcp/1', 'private'],
        ['/ip6/fd00::1/tcp/1', 'private'],
        ['/ip4/198.51.100.7/tcp/1', 'public'],
        ['/ip4/198.51.100.7/tcp/1/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf/p2p-circuit', 'relayed']
      ]
    ) {
      expect(addressClass(multiaddr(address)), address).to.equal(expected)
    }
  })

  it('counts what repeats instead of writing it, and what is too much', () => {
    const written: EntryContent[] = []
    const condenser = new Condenser((content) => { written.push(content) })
    const connection = (
      peer: string
    ): EntryContent => ({ kind: 'connection', peer, direction: 'inbound', address: 'private', event: 'open' })
    for (let i = 0; i < 1_000; i++) condenser.take(connection('loud') as never)
    for (let i = 0; i < 1_000; i++) condenser.take(connection(`${i}`) as never)
    expect(written).to.have.length(256)
    condenser.flush()
    expect(written).to.have.length(258)
    expect(written.slice(256)).to.deep.equal([{ ...connection('loud'), more: 999 }, {
      kind: 'refusal',
      peer: 'others',
      what: 'connections and refusals',
      reason: 'more than 256 different ones in 10 s',
      more: 745
    }])
    condenser.take(connection('loud') as never)
    condenser.flush()
    expect(written).to.have.length(259)
  })
})
