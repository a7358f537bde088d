import { open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import type { RecordHead, SealedRecord } from '../gossip-aggregation/exchange/exchange-log.ts'
import { checkedText, uncheckedText } from './checksum.ts'
import { DirectFile } from './direct-file.ts'

/** Room for the head, which is known last: d begins here. */
const HEAD_BYTES = 4_096
const MAGIC = 'consilium-exchange-1 '

/** What a record's file says first; d's bytes follow unless they are in a checkpoint already. */
export interface StoredHead extends SealedRecord {
  /** CRC-32 of d's bytes. */
  readonly crc: number
}

function bytesOf (values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

/** A record's file while it is written: d as it comes, then the head, then fsync. */
export class RecordWriter {
  readonly #file: DirectFile
  readonly #head: RecordHead
  #crc = 0

  private constructor (file: DirectFile, head: RecordHead) {
    this.#file = file
    this.#head = head
  }

  static async create (path: string, head: RecordHead, staged?: Uint8Array): Promise<RecordWriter> {
    return new RecordWriter(await DirectFile.create(path, { reserved: HEAD_BYTES, ...(staged == null ? {} : { staged }) }), head)
  }

  async append (values: Float32Array): Promise<void> {
    const bytes = bytesOf(values)
    this.#crc = crc32(bytes, this.#crc)
    await this.#file.append(bytes)
  }

  /** On disk when it resolves; the file is closed. */
  async finish (end: Pick<SealedRecord, 'factor' | 'steps'>): Promise<StoredHead> {
    const bytes = this.#file.length - HEAD_BYTES
    if (bytes !== 4 * this.#head.size) throw new Error(`the record of an exchange of ${this.#head.size} numbers got ${bytes / 4}`)
    const head: StoredHead = { ...this.#head, ...end, crc: this.#crc }
    await this.#file.finish(encodeHead(head))
    return head
  }

  async close (): Promise<void> {
    await this.#file.close()
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
export async function readRecordHead (path: string, { whole }: { whole: boolean }): Promise<StoredHead> {
  const file = await open(path, 'r')
  try {
    const bytes = new Uint8Array(HEAD_BYTES)
    const { bytesRead } = await file.read(bytes, 0, HEAD_BYTES, 0)
    const head = decodeHead(Buffer.from(bytes.buffer, 0, bytesRead).toString('utf8'))
    if (whole && (await file.stat()).size !== HEAD_BYTES + 4 * head.size) {
      throw new CorruptFileError('the record of an exchange is not whole')
    }
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
  const text = checkedText(MAGIC + JSON.stringify(head) + '\n')
  if (Buffer.byteLength(text) >= HEAD_BYTES) throw new Error('the head of an exchange record is too long')
  return Buffer.from(text + '\n'.padStart(HEAD_BYTES - Buffer.byteLength(text)))
}

function decodeHead (text: string): StoredHead {
  // The sum stands before the blanks that fill the block; a record of older software has blanks alone.
  const [written = text.trimEnd()] = /^.*\n[ \t]{32}(?= *\n)/.exec(text) ?? []
  const head = text.startsWith(MAGIC) ? parseJson(uncheckedText(written).slice(MAGIC.length)) as StoredHead | null | undefined : undefined
  if (head != null && /^[0-9a-f]{32}$/.test(head.exchangeId) && Number.isSafeInteger(head.size) && Number.isFinite(head.factor)) return head
  throw new CorruptFileError('the head of an exchange record is damaged')
}
