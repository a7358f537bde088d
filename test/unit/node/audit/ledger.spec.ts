import { appendFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { canonical, type LedgerEntry } from '../../../../src/audit/entry.ts'
import { verifyLedger, type LedgerCheck } from '../../../../src/audit/verify.ts'
import { bothSides, Desk, refusal } from './fixtures.ts'

describe('audit ledger', () => {
  let desk: Desk

  beforeEach(async () => { desk = await Desk.create() })
  afterEach(async () => { await desk.remove() })

  async function verify (onEntry?: (entry: LedgerEntry) => void): Promise<LedgerCheck> {
    return await verifyLedger(desk.folder, desk.expected, onEntry)
  }

  const first = (): string => join(desk.folder, 'ledger-000001.jsonl')

  it('holds over restarts and files, in the order of calls, durable at every flush', async () => {
    for (let run = 0; run < 3; run++) {
      const ledger = await desk.open({ segmentBytes: 1_000 })
      for (let i = 0; i < 10; i++) {
        ledger.append(refusal(`${run}.${i}`))
        await ledger.flush()
        const verdict = await verify()
        expect(verdict).to.include({ ok: true, ...ledger.durable })
        expect(verdict.notes).to.be.empty
      }
      ledger.append({ kind: 'stop', reason: 'done' })
      await ledger.close()
    }
    const reasons: string[] = []
    const verdict = await verify((entry) => { if (entry.kind === 'refusal') reasons.push(entry.reason) })
    expect(verdict).to.include({ ok: true, count: 36 })
    expect(verdict.files).to.be.greaterThan(3)
    expect(reasons).to.deep.equal([0, 1, 2].flatMap((run) => Array.from({ length: 10 }, (_, i) => `${run}.${i}`)))
    expect(desk.failures).to.be.empty
  })

  /** Four closed files and an open one. */
  async function several (): Promise<void> {
    const ledger = await desk.open({ segmentBytes: 20_000 })
    for (let n = 0; n < 200; n++) {
      ledger.append(bothSides(n, 'a', 'b')[0])
      await ledger.flush()
    }
    await ledger.close()
  }

  it('packs the files that it has closed, to half of their size and less, and those that older software left', async () => {
    await several()
    const packed = (await readdir(desk.folder)).filter((name) => name.endsWith('.gz'))
    expect(packed).to.have.length((await verify()).files - 1).and.to.have.length.above(2)
    const path = join(desk.folder, packed[0]!)
    const plain = gunzipSync(await readFile(path))
    expect((await stat(path)).size).to.be.below(plain.length / 2)
    await rm(path)
    await writeFile(first(), plain)
    await (await desk.open()).close()
    expect((await readdir(desk.folder)).filter((name) => name.endsWith('.gz'))).to.have.members(packed)
    expect(await verify()).to.include({ ok: true })
  })

  for (const [damage, change] of Object.entries({
    'a flipped bit': (bytes: Buffer) => { bytes[bytes.length >> 1]! ^= 1 },
    'a file of another place': () => {}
  })) {
    it(`is put aside with a sentence where a closed file has ${damage}`, async () => {
      await several()
      const bytes = await readFile(first() + '.gz')
      change(bytes)
      await writeFile(join(desk.folder, 'ledger-000002.jsonl.gz'), bytes)
      const said: string[] = []
      await (await desk.open({ onDamage: (sentence) => { said.push(sentence) } })).close()
      expect(said).to.have.length(1)
      expect(said[0]).to.match(/^the audit ledger is damaged \(ledger-000002\.jsonl: .*\): it is kept in .*audit\.damaged-/)
      expect(await verify()).to.include({ ok: true, files: 1 })
    })
  }

  it('writes by itself within its batch time', async () => {
    const ledger = await desk.open({ batchMs: 5 })
    ledger.append(refusal('soon'))
    while (ledger.durable.count < 2) await new Promise((resolve) => { setImmediate(resolve) })
    expect(await verify()).to.include({ ok: true, count: 2 })
    await ledger.close()
  })

  it('takes up lines that a crash left without a head, cuts off a torn one, and says both', async () => {
    const ledger = await desk.open()
    ledger.append(refusal('before'))
    await ledger.flush()
    const head = await readFile(join(desk.folder, 'head.json'))
    ledger.append(refusal('in the last second'))
    await ledger.close()
    await writeFile(join(desk.folder, 'head.json'), head)
    await appendFile(first(), '{"kind":"refu')

    const crashed = await verify()
    expect(crashed).to.include({ ok: true, count: 3 })
    expect(crashed.notes.join()).to.contain('last 13 bytes').and.contain('last 1 entry is not yet under the signed head')

    await (await desk.open()).close()
    const entries: LedgerEntry[] = []
    const verdict = await verify((entry) => { entries.push(entry) })
    expect(verdict).to.include({ ok: true, count: 4 })
    expect(entries.at(-1)).to.include({ kind: 'start', unattested: 1, tornBytes: 13 })
    expect(verdict.notes.join()).to.contain('entries 3 to 3')
  })

  it('goes on where a crash came between a new file and its first line', async () => {
    const ledger = await desk.open()
    ledger.append(refusal('x'))
    await ledger.flush()
    await ledger.close()
    await writeFile(join(desk.folder, 'ledger-000002.jsonl'), '')
    await (await desk.open()).close()
    expect(await verify()).to.include({ ok: true, count: 3, files: 2 })
  })

  const damages: [string, () => Promise<void>, RegExp][] = [
    ['an edited entry', async () => {
      await writeFile(first(), (await readFile(first(), 'utf8')).replace('"reason":"b"', '"reason":"B"'))
    }, /changed or replaced/],
    ['a cut-off end', async () => {
      await truncate(first(), (await readFile(first())).lastIndexOf('\n', -2) + 1)
    }, /missing/],
    ['an entry after the end', async () => {
      await appendFile(first(), canonical({ kind: 'refusal' }) + '\n')
    }, /changed/],
    ['a missing head', async () => {
      await rm(join(desk.folder, 'head.json'))
    }, /head/],
    ['missing entries', async () => {
      await rm(first())
    }, /missing/]
  ]
  for (const [name, damage, reason] of damages) {
    it(`finds ${name}, puts the ledger aside at the next start and begins one that says so`, async () => {
      const ledger = await desk.open()
      for (const each of ['a', 'b', 'c']) ledger.append(refusal(each))
      await ledger.close()
      await damage()
      const bad = await verify()
      expect(bad.ok).to.equal(false)
      expect(bad.problems.join()).to.match(reason)

      await (await desk.open()).close()
      const verdict = await verify()
      expect(verdict).to.include({ ok: true, count: 1 })
      expect(verdict.notes.join()).to.contain('put aside')
      expect((await readdir(desk.root)).filter((each) => each.startsWith('audit.damaged-'))).to.have.length(1)
    })
  }

  it('is not taken over by another site or federation', async () => {
    await (await desk.open()).close()
    expect((await verifyLedger(desk.folder, { ...desk.expected, federation: 'e'.repeat(64) })).problems.join()).to.contain(
      'another federation'
    )
    expect((await verifyLedger(desk.folder, { ...desk.expected, peerId: 'somebody' })).problems.join()).to.contain('not of this site')
  })

  it('shows by a point that was noted earlier that it was replaced by a shorter one', async () => {
    const ledger = await desk.open()
    ledger.append(refusal('a'))
    await ledger.close()
    const point = ledger.durable
    expect(await verifyLedger(desk.folder, { ...desk.expected, point })).to.include({ ok: true })
    await rm(desk.folder, { recursive: true })
    await (await desk.open()).close()
    expect((await verifyLedger(desk.folder, { ...desk.expected, point })).problems.join()).to.contain('noted earlier')
  })

  it('keeps what it could not write, writes it when the disk is free again, and counts what was too much', async () => {
    const ledger = await desk.open({ segmentBytes: 1, batchMs: 100_000 })
    await writeFile(join(desk.folder, 'ledger-000002.jsonl'), 'in the way')
    for (let i = 0; i < 10_003; i++) ledger.append(refusal(`${i}`))
    await ledger.flush().then(() => { throw new Error('it should fail') }, () => {})
    expect(desk.failures).to.have.length(1)
    await rm(join(desk.folder, 'ledger-000002.jsonl'))
    await ledger.close()
    let lost = 0
    expect(await verify((entry) => { if (entry.kind === 'lost') lost += entry.entries })).to.include({ ok: true, count: 10_002 })
    expect(lost).to.equal(3)
  })
})
