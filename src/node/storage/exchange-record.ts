import { constants, open, rm, type FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { CorruptFileError } from '../../errors.ts'
import type { RecordHead, SealedRecord } from '../../gossip-aggregation/exchange-log.ts'

declare const WebAssembly: { readonly Memory: new (init: { readonly initial: number }) => { readonly buffer: ArrayBuffer } }

/** Room for the head, which is known last: d begins here. */
const HEAD_BYTES = 4_096
const MAGIC = 'consilium-exchange-1 '
/** What goes past the page cache does so in whole blocks. */
const BLOCK_BYTES = 4_096
/** d goes to the disk in pieces of this size: few calls, while the next piece comes. */
const STAGED_BYTES = 4_194_304
const PAGE_BYTES = 65_536

/** What a record's file says first; d's bytes follow unless they are in a checkpoint already. */
export interface StoredHead extends SealedRecord {
  /** CRC-32 of d's bytes. */
  readonly crc: number
}

function bytesOf (values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

async function writeAll (file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function isInvalid (error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'EINVAL'
}

const idle: Uint8Array[] = []

/** The only memory whose address is known to be a multiple of a disk's block; where a limit on addresses forbids it, any, which then goes through the page cache. */
function alignedBuffer (): Uint8Array {
  const used = idle.pop()
  if (used != null) return used
  try {
    return new Uint8Array(new WebAssembly.Memory({ initial: STAGED_BYTES / PAGE_BYTES }).buffer)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return new Uint8Array(STAGED_BYTES)
  }
}

/** A new file that is written past the page cache where the file system can: fresh memory for pages that nobody reads costs more than all the rest of writing them. */
async function openDirect (path: string): Promise<FileHandle> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_DIRECT = 0 } = constants as typeof constants & { O_DIRECT?: number }
  try {
    return await open(path, O_CREAT | O_EXCL | O_WRONLY | O_DIRECT, 0o600)
  } catch (error) {
    if (!isInvalid(error)) throw error
    await rm(path, { force: true })
    return await open(path, 'wx', 0o600)
  }
}

/** A record's file while it is written: d as it comes, then the head, then fsync. */
export class RecordWriter {
  readonly #path: string
  readonly #head: RecordHead
  readonly #staged: Uint8Array
  #file: FileHandle
  /** Bytes of d in the file, and in `staged`. */
  #written = 0
  #waiting = 0
  #crc = 0
  #isClosed = false

  private constructor (path: string, file: FileHandle, head: RecordHead, staged: Uint8Array) {
    this.#path = path
    this.#file = file
    this.#head = head
    this.#staged = staged
  }

  /** `staged` holds whole blocks; where it does not lie at a multiple of the disk's own, the page cache is used. */
  static async create (path: string, head: RecordHead, staged?: Uint8Array): Promise<RecordWriter> {
    return new RecordWriter(path, await openDirect(path), head, staged ?? alignedBuffer())
  }

  async append (values: Float32Array): Promise<void> {
    const bytes = bytesOf(values)
    this.#crc = crc32(bytes, this.#crc)
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#staged.length - this.#waiting)
      this.#staged.set(part, this.#waiting)
      this.#waiting += part.length
      at += part.length
      if (this.#waiting === this.#staged.length) await this.#flush()
    }
  }

  /** On disk when it resolves; the file is closed. */
  async finish (factor: number): Promise<StoredHead> {
    const bytes = this.#written + this.#waiting
    if (bytes !== 4 * this.#head.size) throw new Error(`the record of an exchange of ${this.#head.size} numbers got ${bytes / 4}`)
    await this.#flush()
    const head: StoredHead = { ...this.#head, factor, crc: this.#crc }
    this.#staged.set(encodeHead(head))
    await this.#write(HEAD_BYTES, 0)
    await this.#file.truncate(HEAD_BYTES + bytes)
    await this.#file.datasync()
    await this.close()
    return head
  }

  async close (): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#file.close()
    if (this.#staged.length === STAGED_BYTES) idle.push(this.#staged)
  }

  async #flush (): Promise<void> {
    const whole = Math.ceil(this.#waiting / BLOCK_BYTES) * BLOCK_BYTES
    this.#staged.fill(0, this.#waiting, whole)
    await this.#write(whole, HEAD_BYTES + this.#written)
    this.#written += this.#waiting
    this.#waiting = 0
  }

  async #write (count: number, position: number): Promise<void> {
    const bytes = this.#staged.subarray(0, count)
    try {
      await writeAll(this.#file, bytes, position)
    } catch (error) {
      if (!isInvalid(error)) throw error
      // Not a file system for that after all, or one with larger blocks.
      await this.#file.close()
      this.#file = await open(this.#path, 'r+')
      await writeAll(this.#file, bytes, position)
    }
  }
}

/** Leaves the head alone. */
export async function dropDifference (path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(HEAD_BYTES)
  } finally {
    await file.close()
  }
}

/** @throws CorruptFileError when the file is no record, or shorter than d where `whole` d is wanted. */
export async function readHead (path: string, { whole }: { whole: boolean }): Promise<StoredHead> {
  const file = await open(path, 'r')
  try {
    const bytes = new Uint8Array(HEAD_BYTES)
    const { bytesRead } = await file.read(bytes, 0, HEAD_BYTES, 0)
    const head = decodeHead(Buffer.from(bytes.buffer, 0, bytesRead).toString('utf8'))
    if (whole && (await file.stat()).size !== HEAD_BYTES + 4 * head.size) throw new CorruptFileError('the record of an exchange is not whole')
    return head
  } finally {
    await file.close()
  }
}

/** d, checked against the head's CRC. */
export async function readDifference (path: string, head: StoredHead): Promise<Float32Array> {
  const values = new Float32Array(head.size)
  const bytes = bytesOf(values)
  const file = await open(path, 'r')
  try {
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, HEAD_BYTES + done)
      if (bytesRead === 0) throw new CorruptFileError('the record of an exchange is not whole')
      done += bytesRead
    }
  } finally {
    await file.close()
  }
  if (crc32(bytes) !== head.crc) throw new CorruptFileError('the numbers in the record of an exchange are damaged')
  return values
}

function encodeHead (head: StoredHead): Uint8Array {
  const text = MAGIC + JSON.stringify(head)
  if (Buffer.byteLength(text) >= HEAD_BYTES) throw new Error('the head of an exchange record is too long')
  return Buffer.from(text.padEnd(HEAD_BYTES - 1) + '\n')
}

function decodeHead (text: string): StoredHead {
  try {
    if (!text.startsWith(MAGIC)) throw new SyntaxError('no record')
    const head = JSON.parse(text.slice(MAGIC.length)) as StoredHead
    if (/^[0-9a-f]{32}$/.test(head.exchangeId) && Number.isSafeInteger(head.size) && Number.isFinite(head.factor)) return head
  } catch { /* said below */ }
  throw new CorruptFileError('the head of an exchange record is damaged')
}
