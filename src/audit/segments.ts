import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { namesIn } from '../home/files.ts'

/** A file is closed at about this size and the chain goes on in the next. */
export const SEGMENT_BYTES = 16 * 1024 ** 2
// A file much larger is none of ours; reading it would only fill the memory.
const MAX_SEGMENT_BYTES = 16 * SEGMENT_BYTES
const NAME = /^ledger-(\d{6})\.jsonl$/
const NEWLINE = 0x0a

export const HEAD = 'head.json'

export function segmentName (index: number): string {
  return `ledger-${String(index).padStart(6, '0')}.jsonl`
}

/** Numbers of the ledger's files in this folder, ascending. */
export async function segmentsIn (folder: string): Promise<number[]> {
  const names = await namesIn(folder)
  return names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b)
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

/** @throws InputError when the file is far larger than a ledger's. */
export async function readSegment (folder: string, index: number): Promise<Lines> {
  const path = join(folder, segmentName(index))
  if ((await stat(path)).size > MAX_SEGMENT_BYTES) {
    throw new InputError(`${path} is larger than any file of a ledger: it was not written by consilium`)
  }
  return splitLines(await readFile(path))
}
