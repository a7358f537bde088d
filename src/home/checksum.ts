import { crc32 } from 'node:zlib'
import { CorruptFileError } from '../errors.ts'
import { readIfThere, writeFileSafely } from './files.ts'

/** What a safetensors file says in its metadata until `withChecksum` knows the sum. */
export const NO_CHECKSUM = { crc32: '00000000' } as const

const PLACE = '"crc32":"'
const DIGITS = 8
const WRONG = 'its checksum does not match'

/** A safetensors file whose header says `NO_CHECKSUM`, with the CRC-32 of all its bytes in that place. */
export function withChecksum ([header, ...data]: readonly [header: Uint8Array, ...data: Uint8Array[]]): Uint8Array[] {
  const sealed = Buffer.from(header)
  sealed.write(hex([header, ...data]), placeIn(sealed)!, 'latin1')
  return [sealed, ...data]
}

/** @throws CorruptFileError where a safetensors file is not what was written; one of software before 0.2.0 carries no sum. */
export function requireChecksum (bytes: Uint8Array): void {
  const at = placeIn(bytes)
  if (at == null) return
  const stated = Buffer.from(bytes.subarray(at, at + DIGITS)).toString('latin1')
  const parts = [bytes.subarray(0, at), Buffer.from(NO_CHECKSUM.crc32), bytes.subarray(at + DIGITS)]
  if (hex(parts) !== stated) throw new CorruptFileError(WRONG)
}

/** Within the header alone: numbers may look like anything. */
function placeIn (bytes: Uint8Array): number | undefined {
  if (bytes.length < 8) return undefined
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 8 + length)).indexOf(PLACE)
  return at < 0 ? undefined : at + PLACE.length
}

function hex (parts: readonly Uint8Array[]): string {
  return parts.reduce((sum, part) => crc32(part, sum), 0).toString(16).padStart(DIGITS, '0')
}

// 32 bits as blanks and tabs: any JSON parser passes over them, that of older software too. One flipped bit makes a return of a tab.
const BLANKS = /([ \t]+\r?)\n?$/

/** A line or a whole text of JSON with the CRC-32 of it behind it, as white space. */
export function checkedText (json: string): string {
  return json + crc32(json).toString(2).padStart(32, '0').replaceAll('0', ' ').replaceAll('1', '\t')
}

/** The text without its sum; one that has none was not written by this software, and is taken. @throws CorruptFileError for another sum */
export function uncheckedText (text: string): string {
  const [blanks, bits] = BLANKS.exec(text) ?? []
  if (blanks == null) return text
  const json = text.slice(0, -blanks.length)
  if (checkedText(json) !== json + bits!) throw new CorruptFileError(WRONG)
  return json
}

/** Writes JSON that a site wrote for itself alone. */
export async function writeCheckedJson (path: string, value: unknown): Promise<void> {
  await writeFileSafely(path, checkedText(JSON.stringify(value, null, 2) + '\n') + '\n')
}

/** What `writeCheckedJson` wrote, as text; undefined where there is none. @throws CorruptFileError */
export async function readChecked (path: string): Promise<string | undefined> {
  const bytes = await readIfThere(path)
  return bytes == null ? undefined : uncheckedText(bytes.toString('utf8'))
}
