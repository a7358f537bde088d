import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import type {
  Decision,
  ExchangeLog,
  ExchangeRole,
  LogEntry,
  RecordHead,
  SealedRecord
} from '../../../../src/gossip-aggregation/exchange/exchange-log.ts'
import { DiskExchangeLog } from '../../../../src/home/exchange-log.ts'
import { readDifference, readRecordHead, RecordWriter } from '../../../../src/home/exchange-record.ts'

const SIZE = 10
const id = (n: number): string => n.toString(16).padStart(32, '0')
const numbers = (n: number): Float32Array => Float32Array.from({ length: SIZE }, (_, i) => n + i / 8)

async function write (log: ExchangeLog, n: number, role: ExchangeRole, partner = 'p'): Promise<void> {
  const entry = await log.begin({ exchangeId: id(n), partner, role, size: SIZE })
  await entry.append(numbers(n).subarray(0, 7))
  await entry.append(numbers(n).subarray(7))
  await entry.seal(role === 'initiator' ? 'pending' : 'committed', { factor: n / 2 })
}

describe('the exchange log on disk', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'exchanges-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  /** As after a crash: nothing is closed in order. */
  const reopen = async (): Promise<DiskExchangeLog> => await DiskExchangeLog.open(folder)
  const names = async (ending: string): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith(ending))

  it('gives back d and factor, before and after a restart', async () => {
    let log = await reopen()
    await write(log, 1, 'initiator')
    await write(log, 2, 'responder')
    for (let i = 0; i < 2; i++) {
      expect(log.pending().map(({ exchangeId, partner, role, size, factor }) => [exchangeId, partner, role, size, factor])).to.deep.equal([[
        id(1),
        'p',
        'initiator',
        SIZE,
        0.5
      ]])
      expect(log.committed().map(({ exchangeId, factor }) => [exchangeId, factor])).to.deep.equal([[id(2), 1]])
      expect(await log.read(id(1))).to.deep.equal(numbers(1))
      expect(await log.read(id(2))).to.deep.equal(numbers(2))
      expect(log.outcome(id(2), 'p')).to.equal('committed')
      expect(log.outcome(id(2), 'somebody else')).to.equal(undefined)
      await log.close()
      log = await reopen()
    }
    await log.close()
  })

  it('has no record of what was not sealed, and removes what a killed process left', async () => {
    const log = await reopen()
    const entry = await log.begin({ exchangeId: id(1), partner: 'p', role: 'responder', size: SIZE })
    await entry.append(numbers(1).subarray(0, 7))
    expect(await names('.writing')).to.have.length(1)
    const after = await reopen()
    expect([after.pending(), after.committed(), await readdir(folder)]).to.deep.equal([[], [], []])
    await after.close()
    await entry.discard()
    const again = await log.begin({ exchangeId: id(2), partner: 'p', role: 'responder', size: SIZE })
    await again.discard()
    expect(await readdir(folder)).to.deep.equal([])
    await log.close()
  })

  it('writes any number of floats in pieces of any size, past the page cache or where that cannot be', async () => {
    let n = 0
    const setting = fc.record({ parts: fc.array(fc.integer({ min: 0, max: 2_500 }), { maxLength: 6 }), isAligned: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(setting, async ({ parts, isAligned }) => {
        const whole = Float32Array.from({ length: parts.reduce((sum, part) => sum + part, 0) }, (_, i) => i + 0.5)
        const path = join(folder, String(n++))
        const writer = await RecordWriter.create(
          path,
          { exchangeId: id(n), partner: 'p', role: 'responder', size: whole.length },
          isAligned ? undefined : new Uint8Array(8_193).subarray(1)
        )
        let at = 0
        for (const part of parts) await writer.append(whole.subarray(at, at += part))
        const head = await writer.finish({ factor: 0.5, steps: 12 })
        expect(await readRecordHead(path, { whole: true })).to.deep.equal(head)
        expect(await readDifference(path, head)).to.deep.equal(whole)
      }),
      { numRuns: 40 }
    )
  })

  it('refuses a second record of an exchange and leaves nothing of it', async () => {
    const log = await reopen()
    await write(log, 1, 'responder')
    expect(await write(log, 1, 'responder').then(() => 'sealed', (error: Error) => error.message)).to.include('was in the log before')
    await log.close()
    const after = await reopen()
    expect(after.committed().map(({ exchangeId }) => exchangeId)).to.deep.equal([id(1)])
    await after.close()
  })

  it('drops d once a checkpoint has it, and keeps the outcome until it is forgotten', async () => {
    const log = await reopen()
    await write(log, 1, 'responder')
    const [before] = await names('.committed')
    const bytes = (await stat(join(folder, before!))).size
    await log.absorb([id(1)])
    const [kept] = await names('.kept')
    expect((await stat(join(folder, kept!))).size).to.equal(bytes - 4 * SIZE)
    expect([log.committed(), log.outcome(id(1), 'p'), log.unacknowledged('p')]).to.deep.equal([[], 'committed', [id(1)]])
    await log.forget([id(1)], 'another')
    expect(log.outcome(id(1), 'p')).to.equal('committed')
    await log.forget([id(1)], 'p')
    expect(await readdir(folder)).to.deep.equal([])
    await log.close()
  })

  it('sets damaged records aside and says so; the others serve', async () => {
    const log = await reopen()
    for (const n of [1, 2, 3, 4, 5]) await write(log, n, 'responder')
    await log.close()
    const [one, two, three, , five] = (await names('.committed')).sort().map((name) => join(folder, name))
    await truncate(one!, 4096 + 4 * SIZE - 1)
    await writeFile(two!, 'no record')
    const bytes = await readFile(three!)
    bytes[4096 + 5]! ^= 1
    await writeFile(three!, bytes)
    const head = await readFile(five!)
    head[head.indexOf('"factor":') + 11]! ^= 1
    await writeFile(five!, head)
    await appendFile(join(folder, 'notes.txt'), "somebody else's")
    const after = await reopen()
    expect(after.warnings).to.have.length(4)
    expect(await names('.damaged')).to.have.length(4)
    expect(after.committed().map(({ exchangeId }) => exchangeId)).to.deep.equal([id(4)])
    expect(await after.read(id(3)).catch((error: Error) => error.name)).to.equal('CorruptFileError')
    expect(await after.read(id(4))).to.deep.equal(numbers(4))
    await after.close()
  })

  it('does what its contract says, with a restart after every step', async () => {
    const step = fc.record({
      what: fc.constantFrom('initiate', 'respond', 'commit', 'abort', 'absorb', 'forget'),
      n: fc.integer({ min: 1, max: 4 }),
      partner: fc.constantFrom('p', 'q')
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await rm(folder, { recursive: true })
        const model = new ModelLog()
        let disk = await reopen()
        const used = new Set<number>()
        for (const { what, n, partner } of steps) {
          const isNew = what === 'initiate' || what === 'respond'
          if (isNew && used.has(n)) continue
          if (isNew) used.add(n)
          for (const log of [model, disk]) await apply(log, what, n, partner)
          await disk.close()
          disk = await reopen()
          expect(shown(disk)).to.deep.equal(shown(model))
          for (const { exchangeId } of model.committed()) expect(await disk.read(exchangeId)).to.deep.equal(await model.read(exchangeId))
        }
        await disk.close()
      }),
      { numRuns: 60 }
    )
  })
})

async function apply (log: ExchangeLog, what: string, n: number, partner: string): Promise<void> {
  if (what === 'initiate' || what === 'respond') await write(log, n, what === 'initiate' ? 'initiator' : 'responder', partner)
  else if (what === 'commit' || what === 'abort') await log.settle(id(n), what === 'commit' ? 'committed' : 'aborted')
  else if (what === 'absorb') await log.absorb([id(n)])
  else await log.forget([id(n)], partner)
}

function shown (log: ExchangeLog): unknown {
  return {
    pending: log.pending().map(({ exchangeId, partner, factor }) => [exchangeId, partner, factor]),
    committed: log.committed().map(({ exchangeId, partner, factor }) => [exchangeId, partner, factor]),
    outcomes: ['p', 'q'].flatMap((partner) => [1, 2, 3, 4].map((n) => log.outcome(id(n), partner))),
    kept: ['p', 'q'].map((partner) => log.unacknowledged(partner))
  }
}

/** The contract in a few lines, for a disk that never loses anything. */
class ModelLog implements ExchangeLog {
  readonly #pending = new Map<string, SealedRecord>()
  readonly #committed = new Map<string, SealedRecord>()
  readonly #differences = new Map<string, Float32Array>()
  readonly #outcomes = new Map<string, string>()

  async begin (head: RecordHead): Promise<LogEntry> {
    const { exchangeId, partner, size } = head
    const difference = new Float32Array(size)
    let length = 0
    return {
      append: async (values) => {
        difference.set(values, length)
        length += values.length
      },
      seal: async (state, end) => {
        ;(state === 'pending' ? this.#pending : this.#committed).set(exchangeId, { ...head, ...end })
        this.#differences.set(exchangeId, difference)
        if (state === 'committed') this.#outcomes.set(exchangeId, partner)
      },
      discard: async () => {}
    }
  }

  async settle (exchangeId: string, verdict: Decision): Promise<void> {
    const record = this.#pending.get(exchangeId)
    if (record == null) return
    this.#pending.delete(exchangeId)
    if (verdict === 'committed') this.#committed.set(exchangeId, record)
  }

  async read (exchangeId: string): Promise<Float32Array> {
    return this.#differences.get(exchangeId)!
  }

  pending (): readonly SealedRecord[] {
    return [...this.#pending.values()]
  }

  committed (): readonly SealedRecord[] {
    return [...this.#committed.values()]
  }

  async absorb (exchangeIds: readonly string[]): Promise<void> {
    for (const each of exchangeIds) this.#committed.delete(each)
  }

  outcome (exchangeId: string, partner: string): 'committed' | undefined {
    return this.#outcomes.get(exchangeId) === partner ? 'committed' : undefined
  }

  unacknowledged (partner: string): readonly string[] {
    return [...this.#outcomes].filter(([, initiator]) => initiator === partner).map(([each]) => each)
  }

  async forget (exchangeIds: readonly string[], partner: string): Promise<void> {
    for (const each of exchangeIds) if (this.#outcomes.get(each) === partner) this.#outcomes.delete(each)
  }
}
