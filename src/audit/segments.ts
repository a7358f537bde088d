import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { CorruptFileError, InputError } from '../errors.ts'
import { isMissing, namesIn, syncFolder, writeFileSafely } from '../home/files.ts'

/** A file is closed at about this size and the chain goes on in the next. */
export const SEGMENT_BYTES = 16 * 1024 ** 2
// A file much larger is none of ours; reading it would only fill the memory.
const MAX_SEGMENT_BYTES = 16 * SEGMENT_BYTES
const NAME = /^ledger-(\d{6})\.jsonl(\.gz)?$/
const PACKED = '.gz'
const NEWLINE = 0x0a

export const HEAD = 'head.json'

export function segmentName (index: number): string {
  return `ledger-${String(index).padStart(6, '0')}.jsonl`
}

/** Numbers of the ledger's files in this folder, ascending. */
export async function segmentsIn (folder: string): Promise<number[]> {
  const names = await namesIn(folder)
  return [...new Set(names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number))].sort((a, b) => a - b)
}

export interface Lines {
  /** Without their newlines. */
  readonly lines: readonly Buffer[]
  /** Bytes after the last newline: a write that a crash cut off. */
  readonly torn: number
}

export function splitLines (bytes: Buffer): Lines {
  const lines: Buffer[] = []
  let begin = 0
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, begin)) {
    lines.push(bytes.subarray(begin, end))
    begin = end + 1
  }
  return { lines, torn: bytes.length - begin }
}

/** A file that is packed, or is still written. @throws InputError when it is far larger than a ledger's; CorruptFileError */
export async function readSegment (folder: string, index: number): Promise<Lines> {
  const path = join(folder, segmentName(index))
  try {
    return splitLines(await readCapped(path))
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const packed = await readCapped(path + PACKED)
  // Its checksum does not cover the header, in which all is 0 that may be.
  if (packed.subarray(3, 9).some((byte) => byte !== 0)) throw new CorruptFileError('its packed form is damaged')
  try {
    return splitLines(await promisify(gunzip)(packed, { maxOutputLength: MAX_SEGMENT_BYTES }))
  } catch {
    throw new CorruptFileError('its packed form is damaged')
  }
}

/**
 * A file that nothing is added to any more takes less than half the room, and carries a checksum; struck at any moment, one of both is
 * whole.
 */
export async function packSegment (folder: string, index: number): Promise<void> {
  const path = join(folder, segmentName(index))
  await writeFileSafely(path + PACKED, await promisify(gzip)(await readFile(path)))
  await syncFolder(folder)
  await rm(path, { force: true })
}

/** Closed files that are not packed yet. */
export async function unpackedIn (folder: string): Promise<number[]> {
  const names = await namesIn(folder)
  return (await segmentsIn(folder)).slice(0, -1).filter((index) => names.includes(segmentName(index)))
}

async function readCapped (path: string): Promise<Buffer> {
  if ((await stat(path)).size > MAX_SEGMENT_BYTES) {
    throw new InputError(`${path} is larger than any file of a ledger: it was not written by consilium`)
  }
  return await readFile(path)
}
