import { expect } from 'chai'
import type { EntryContent } from '../../../../src/audit/entry.ts'
import { LedgerAccount, reconcile, type Reconciliation } from '../../../../src/audit/reconcile.ts'
import { bothSides } from './fixtures.ts'

const MINUTE = 60_000

describe('reconciling two ledgers', () => {
  const start: EntryContent = { kind: 'start' }
  const stop: EntryContent = { kind: 'stop', reason: 'done' }
  const one = (n: number): [EntryContent, EntryContent] => bothSides(n, 'A', 'B')

  /** A minute lies between two entries; undefined leaves one out. */
  function account (peerId: string, contents: readonly (EntryContent | undefined)[]): LedgerAccount {
    const result = new LedgerAccount(peerId)
    contents.forEach((content, i) => {
      if (content != null) result.add({ ...content, seq: i + 1, t: new Date(i * MINUTE).toISOString(), prev: '0'.repeat(64) })
    })
    return result
  }

  function compare (a: readonly (EntryContent | undefined)[], b: readonly (EntryContent | undefined)[]): Reconciliation {
    return reconcile(account('A', a), account('B', b))
  }

  it('matches what one sent with what the other received, in whatever order they wrote it', () => {
    const [a1, b1] = one(1)
    const [a2, b2] = one(2)
    const [others] = bothSides(3, 'A', 'C')
    expect(compare([start, a1, a2, others, stop], [start, b2, b1, stop])).to.deep.equal({
      ok: true,
      matched: 2,
      failed: 0,
      explained: [],
      differences: []
    })
  })

  const lies: [string, (b: Record<string, unknown>) => object, RegExp][] = [
    ['another vector', () => ({ receivedDigest: '1'.repeat(64) }), /A sent another vector than B received/],
    ['other bytes', () => ({ bytesSent: 910 }), /B sent 910 bytes and A received 90/],
    ['another round', () => ({ round: 5 }), /round 5 of B is 4 for A/],
    ['the same role', () => ({ role: 'initiator' }), /both sites say that they were the initiator/],
    ['more steps', () => ({ steps: 80 }), /80 training steps of B arrived by its own ledger and 64 by its partner's/],
    ['that fewer steps came', () => ({ partnerSteps: 0 }), /48 training steps of A arrived by its own ledger and 0 by its partner's/],
    ['no digest', () => ({ sentDigest: undefined }), /no digest/],
    ['failure', () => ({ outcome: 'failed' }), /A committed it and B says that it failed/]
  ]
  for (const [name, lie, what] of lies) {
    it(`names a side that says ${name}`, () => {
      const [a, b] = one(1)
      const { ok, differences } = compare([start, a, stop], [start, { ...b, ...lie({ ...b }) }, stop])
      expect(ok).to.equal(false)
      expect(differences.map((each) => each.what).join()).to.match(what)
    })
  }

  it('names an exchange that one side does not know', () => {
    expect(compare([start, one(1)[0], stop], [start, undefined, stop]).differences[0]!.what).to.equal(
      'A committed it and B does not know it'
    )
  })

  it('explains what a crash left half, by how it was settled or because the entry never reached the disk', () => {
    const [a, b] = one(1)
    const exchange = a as Extract<EntryContent, { kind: 'exchange' }>
    const settled: EntryContent = {
      kind: 'settled',
      id: exchange.id,
      partner: 'B',
      outcome: 'committed',
      sentDigest: exchange.sentDigest,
      receivedDigest: exchange.receivedDigest
    }
    const doubt: EntryContent = { ...exchange, outcome: 'doubt' }
    expect(compare([start, doubt, start, settled, stop], [start, b, stop])).to.include({ ok: true, matched: 1 })
    expect(compare([start, undefined, start, settled, stop], [start, b, stop])).to.include({ ok: true, matched: 1 })
    expect(compare([start, doubt, stop], [start, b, stop]).explained[0]!.why).to.contain('has not settled')
    expect(compare([start, undefined, undefined, start, stop], [start, b, stop]).explained[0]!.why).to.contain('crashed before')
    const recovered: EntryContent = {
      kind: 'exchange',
      id: exchange.id,
      partner: 'B',
      role: 'initiator',
      outcome: 'committed',
      round: 3,
      tensors: 2,
      recovered: true
    }
    const fromLog = compare([start, undefined, start, recovered, stop], [start, b, stop])
    expect([fromLog.ok, fromLog.explained[0]!.why]).to.deep.equal([
      true,
      'committed at both; A crashed before its entry was on disk and has it from its log of exchanges, without digests'
    ])
    const aborted: EntryContent = { kind: 'settled', id: exchange.id, partner: 'B', outcome: 'aborted' }
    expect(compare([start, doubt, aborted, stop], [start, undefined, stop])).to.include({ ok: true, matched: 0, failed: 1 })
    expect(compare([start, doubt, aborted, stop], [start, b, stop]).ok).to.equal(false)
  })

  it('excuses only what is later than the end of a ledger that is still written', () => {
    const [a] = one(1)
    expect(compare([start, undefined, a, stop], [start]).explained[0]!.why).to.contain('later than')
    expect(compare([start, a, undefined, stop], [start, undefined, stop]).ok).to.equal(false)
  })
})
