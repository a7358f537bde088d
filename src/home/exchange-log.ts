import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptFileError } from '../errors.ts'
import type { Decision, GroupLog, LogEntry, RecordHead, SealedRecord } from '../gossip-aggregation/exchange/exchange-log.ts'
import { makePrivateFolder } from './files.ts'
import { dropDifference, readDifference, readRecordHead, RecordWriter, type StoredHead } from './exchange-record.ts'

/**
 * What a file's name says of its exchange. The name is the state, so that a rename changes it in one durable step:
 * pending (initiator: in doubt), redo (d is not in a checkpoint), committed (the same, and the partner may still ask), kept (d is in a
 * checkpoint; the partner may still ask).
 */
type State = 'pending' | 'redo' | 'committed' | 'kept'

interface Stored {
  readonly state: State
  readonly sequence: number
  readonly head: StoredHead
}

const NAME = /^(\d{10})-([0-9a-f]{32})\.(pending|redo|committed|kept)$/
const LEFTOVER = '.writing'

/**
 * The log of exchanges in the home folder: one file per exchange, written aside, fsynced and renamed
 * (docs/spec/gossip.md#exchange-log).
 */
export class DiskExchangeLog implements GroupLog {
  /** Records that could not be read, one plain sentence each. */
  readonly warnings: string[] = []
  readonly #folder: string
  readonly #handle: FileHandle
  readonly #records = new Map<string, Stored>()
  #sequence = 0
  /** Changes of records follow one another; writing new ones need not wait. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor (folder: string, handle: FileHandle) {
    this.#folder = folder
    this.#handle = handle
  }

  /** Takes up what is there; half-written files are removed, damaged ones set aside and said in `warnings`. */
  static async open (folder: string): Promise<DiskExchangeLog> {
    await makePrivateFolder(folder)
    const log = new DiskExchangeLog(folder, await open(folder, 'r'))
    for (const name of (await readdir(folder)).sort()) await log.#takeUp(name)
    return log
  }

  async begin (head: RecordHead): Promise<LogEntry> {
    const aside = join(this.#folder, head.exchangeId + LEFTOVER)
    const writer = await RecordWriter.create(aside, head)
    return {
      append: async (values) => { await writer.append(values) },
      seal: async (state, end) => {
        const stored = await writer.finish(end)
        await this.#place(aside, {
          state: state === 'pending' ? 'pending' : stored.role === 'initiator' ? 'redo' : 'committed',
          sequence: ++this.#sequence,
          head: stored
        })
      },
      discard: async () => {
        await writer.close()
        await rm(aside, { force: true })
      }
    }
  }

  async settle (exchangeId: string, verdict: Decision): Promise<void> {
    await this.#change(async () => {
      if (this.#records.get(exchangeId)?.state !== 'pending') return
      await (verdict === 'committed' ? this.#move(exchangeId, 'redo', ++this.#sequence) : this.#remove(exchangeId))
      await this.#handle.sync()
    })
  }

  async read (exchangeId: string): Promise<Float32Array> {
    const stored = this.#records.get(exchangeId)
    if (stored == null || stored.state === 'kept') throw new CorruptFileError(`the log has no record of exchange ${exchangeId}`)
    return await readDifference(this.#path(stored), stored.head)
  }

  head (exchangeId: string): SealedRecord | undefined {
    return this.#records.get(exchangeId)?.head
  }

  pending (): readonly SealedRecord[] {
    return this.#heads(({ state }) => state === 'pending')
  }

  committed (): readonly SealedRecord[] {
    return this.#heads(({ state }) => state === 'redo' || state === 'committed')
  }

  async absorb (exchangeIds: readonly string[]): Promise<void> {
    await this.#change(async () => {
      for (const id of exchangeIds) await this.#absorb(id)
      await this.#handle.sync()
    })
  }

  outcome (exchangeId: string, partner: string): 'committed' | undefined {
    const stored = this.#records.get(exchangeId)
    return stored != null && isAnswerable(stored) && stored.head.partner === partner ? 'committed' : undefined
  }

  unacknowledged (partner: string): readonly string[] {
    return this.#heads((stored) => isAnswerable(stored) && stored.head.partner === partner).map(({ exchangeId }) => exchangeId)
  }

  async forget (exchangeIds: readonly string[], partner: string): Promise<void> {
    await this.#change(async () => {
      for (const id of exchangeIds) {
        const stored = this.#records.get(id)
        if (stored == null || !isAnswerable(stored) || stored.head.partner !== partner) continue
        await (stored.state === 'kept' ? this.#remove(id) : this.#move(id, 'redo'))
      }
      await this.#handle.sync()
    })
  }

  /** After what is under way has ended. */
  async close (): Promise<void> {
    await this.#last
    await this.#handle.close()
  }

  async #takeUp (name: string): Promise<void> {
    const path = join(this.#folder, name)
    if (name.endsWith(LEFTOVER)) {
      await rm(path)
      return
    }
    const [, sequence, id, state] = NAME.exec(name) ?? []
    if (id == null) return
    this.#sequence = Math.max(this.#sequence, Number(sequence))
    try {
      const head = await readRecordHead(path, { whole: state !== 'kept' })
      if (state !== 'kept') await readDifference(path, head)
      if (head.exchangeId !== id) throw new CorruptFileError('the record of an exchange carries another\'s name')
      this.#records.set(id, { state: state as State, sequence: Number(sequence), head })
      // A crash between the rename and the truncation left d.
      if (state === 'kept') await dropDifference(path)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      await rename(path, `${path}.damaged`)
      this.warnings.push(
        `${path} is damaged (${error.message}) and set aside: what this one exchange changed is lost, later exchanges make up for it`
      )
    }
  }

  async #absorb (id: string): Promise<void> {
    const state = this.#records.get(id)?.state
    if (state === 'redo') await this.#remove(id)
    if (state !== 'committed') return
    await this.#move(id, 'kept')
    await dropDifference(this.#path(this.#records.get(id)!))
  }

  /** Gives a finished file its name; if that cannot be made durable, there is no such record. */
  async #place (aside: string, stored: Stored): Promise<void> {
    const path = this.#path(stored)
    try {
      if (this.#records.has(stored.head.exchangeId)) {
        throw new Error(`exchange ${stored.head.exchangeId} was in the log before its record was sealed`)
      }
      await rename(aside, path)
      await this.#handle.sync()
    } catch (error) {
      await Promise.all([aside, path].map(async (each) => { await rm(each, { force: true }) }))
      throw error
    }
    this.#records.set(stored.head.exchangeId, stored)
  }

  async #move (id: string, state: State, sequence?: number): Promise<void> {
    const stored = this.#records.get(id)!
    const moved: Stored = { ...stored, state, sequence: sequence ?? stored.sequence }
    await rename(this.#path(stored), this.#path(moved))
    this.#records.set(id, moved)
  }

  async #remove (id: string): Promise<void> {
    await rm(this.#path(this.#records.get(id)!), { force: true })
    this.#records.delete(id)
  }

  async #change (work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    await done
  }

  #heads (which: (stored: Stored) => boolean): SealedRecord[] {
    return [...this.#records.values()].filter(which).sort((a, b) => a.sequence - b.sequence).map(({ head }) => head)
  }

  #path ({ state, sequence, head }: Stored): string {
    return join(this.#folder, `${String(sequence).padStart(10, '0')}-${head.exchangeId}.${state}`)
  }
}

function isAnswerable ({ state }: Stored): boolean {
  return state === 'committed' || state === 'kept'
}
