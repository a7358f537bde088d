import { open, rename, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { PrivateKey } from '@libp2p/interface'
import { makePrivateFolder, removeLeftovers, syncFolder, writeFileSafely } from '../home/files.ts'
import type { ChainPoint } from './chain.ts'
import { canonical, GENESIS, sha256, type EntryContent } from './entry.ts'
import { headBytes, signHead } from './head.ts'
import { resume, type Resumed } from './resume.ts'
import { HEAD, packSegment, SEGMENT_BYTES, segmentName, unpackedIn } from './segments.ts'

export interface LedgerInit {
  readonly folder: string
  readonly key: PrivateKey
  readonly peerId: string
  readonly federation: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly onFailure: (error: unknown) => void
  /** After each batch that is on disk. */
  readonly onWritten?: () => void
  /** Told why the ledger before is put aside, and where. */
  readonly onDamage?: (sentence: string) => void
  /** Why the ledger of before is put aside, though it holds. */
  readonly putAside?: string | undefined
  readonly segmentBytes?: number
  /** Longest time that an entry waits for its fsync. */
  readonly batchMs?: number
}

const BATCH_MS = 500
// Lines held while the disk refuses; what comes beyond is counted and the count is written later.
const MAX_PENDING = 10_000

/** The append-only, hash-chained record of one site (docs/spec/network.md#ledger). One writer at a time. */
export class Ledger {
  readonly #init: LedgerInit
  #file: FileHandle
  #segment: number
  #position: number
  #point: ChainPoint
  #durable: ChainPoint
  #pending: Buffer[] = []
  #lost = 0
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()
  #closed = false
  #packing: Promise<void> = Promise.resolve()

  private constructor (init: LedgerInit, file: FileHandle, { segment, position, point }: Resumed) {
    this.#init = init
    this.#file = file
    this.#segment = segment
    this.#position = position
    this.#point = point
    this.#durable = point
  }

  /** Takes up the ledger where it ended; a torn last line is cut off and a damaged ledger put aside, and the first entry says so. */
  static async open (init: LedgerInit): Promise<Ledger> {
    await makePrivateFolder(init.folder)
    await removeLeftovers(init.folder)
    const found = init.putAside == null ? await resume(init.folder, init) : { damaged: init.putAside }
    if ('damaged' in found) {
      const at = new Date(init.now()).toISOString().replaceAll(':', '-')
      const aside = `${init.folder}.${init.putAside == null ? 'damaged' : 'before'}-${at}`
      await rename(init.folder, aside)
      init.onDamage?.(
        init.putAside == null
          ? `the audit ledger is damaged (${found.damaged}): it is kept in ${aside}, and a new one begins; restore it from a backup ` +
            'there to show it to others'
          : `${init.putAside}: the audit ledger of before is kept in ${aside}, and a new one begins`
      )
      const ledger = await Ledger.#begin(init)
      await ledger.#start({ damaged: `${found.damaged} (kept in ${basename(aside)})` })
      return ledger
    }
    if (found.point.count === 0 && found.segment === 1 && found.position === 0) {
      const ledger = await Ledger.#begin(init)
      await ledger.#start({})
      return ledger
    }
    const file = await open(join(init.folder, segmentName(found.segment)), 'r+')
    await file.truncate(found.position)
    const ledger = new Ledger(init, file, found)
    ledger.#pack()
    await ledger.#start({
      ...(found.unattested > 0 ? { unattested: found.unattested } : {}),
      ...(found.tornBytes > 0 ? { tornBytes: found.tornBytes } : {})
    })
    return ledger
  }

  static async #begin (init: LedgerInit): Promise<Ledger> {
    await makePrivateFolder(init.folder)
    await syncFolder(dirname(init.folder))
    const point = { count: 0, hash: GENESIS }
    // The head comes first: from now on lines without one are damage.
    await writeHead(init, point, false)
    const file = await open(join(init.folder, segmentName(1)), 'w', 0o600)
    await syncFolder(init.folder)
    return new Ledger(init, file, { segment: 1, position: 0, point, unattested: 0, tornBytes: 0 })
  }

  /** On disk within a second; the order of calls is the order of lines. */
  append (content: EntryContent): void {
    if (this.#closed) return
    if (this.#pending.length >= MAX_PENDING) {
      this.#lost++
      return
    }
    this.#push(content)
    this.#timer ??= setTimeout(() => {
      this.flush().catch(() => { /* told to onFailure; the next batch tries again */ })
    }, this.#init.batchMs ?? BATCH_MS)
  }

  /** Writes and fsyncs what is pending, then the signed head over it. */
  async flush (): Promise<void> {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    const run = this.#flushing.catch(() => {}).then(async () => {
      await this.#write(false)
      this.#init.onWritten?.()
    })
    this.#flushing = run
    await run.catch((error: unknown) => {
      this.#init.onFailure(error)
      if (!this.#closed) this.#timer ??= setTimeout(() => { this.flush().catch(() => {}) }, 10 * (this.#init.batchMs ?? BATCH_MS))
      throw error
    })
  }

  /** The last batch, under a head that lets nothing follow. */
  async close (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    try {
      await this.#flushing.catch(() => {})
      await this.#write(true)
      await this.#packing
    } catch (error) {
      this.#init.onFailure(error)
    } finally {
      await this.#file.close()
    }
  }

  /** Entries and last hash that the signed head covers. */
  get durable (): ChainPoint {
    return this.#durable
  }

  get isDurable (): boolean {
    return this.#durable.count === this.#point.count
  }

  async #start (fields: object): Promise<void> {
    this.append({ kind: 'start', ...fields })
    await this.flush()
  }

  #push (content: EntryContent): void {
    const seq = this.#point.count + 1
    const line = Buffer.from(canonical({ ...content, seq, t: new Date(this.#init.now()).toISOString(), prev: this.#point.hash }))
    this.#point = { count: seq, hash: sha256(line) }
    this.#pending.push(line)
  }

  async #write (closing: boolean): Promise<void> {
    if (this.#lost > 0) {
      const entries = this.#lost
      this.#lost = 0
      this.#push({ kind: 'lost', entries })
    }
    const lines = this.#pending.slice()
    const point = this.#point
    if (lines.length > 0) {
      if (this.#position >= (this.#init.segmentBytes ?? SEGMENT_BYTES)) await this.#rotate()
      const bytes = Buffer.concat(lines.flatMap((line) => [line, NEWLINE]))
      // At a fixed place: a write that failed half-way is written over.
      for (let done = 0; done < bytes.length;) {
        done += (await this.#file.write(bytes, done, bytes.length - done, this.#position + done)).bytesWritten
      }
      await this.#file.datasync()
      this.#position += bytes.length
      this.#pending.splice(0, lines.length)
    }
    if (point.count === this.#durable.count && !closing) return
    await writeHead(this.#init, point, closing)
    this.#durable = point
  }

  async #rotate (): Promise<void> {
    const next = await open(join(this.#init.folder, segmentName(this.#segment + 1)), 'wx', 0o600)
    await syncFolder(this.#init.folder)
    await this.#file.close()
    this.#file = next
    this.#segment++
    this.#position = 0
    this.#pack()
  }

  /** In the background: what a failure leaves is packed another time. */
  #pack (): void {
    const { folder, onFailure } = this.#init
    this.#packing = this.#packing.then(async () => {
      const closed = (await unpackedIn(folder)).filter((index) => index < this.#segment)
      for (const index of closed) await packSegment(folder, index)
    }).catch(onFailure)
  }
}

const NEWLINE = Buffer.from('\n')

async function writeHead ({ folder, key, peerId, federation }: LedgerInit, { count, hash }: ChainPoint, closed: boolean): Promise<void> {
  const head = await signHead({ version: 1, peerId, federation, count, hash, closed }, key)
  await writeFileSafely(join(folder, HEAD), headBytes(head), 0o600)
  await syncFolder(folder)
}
