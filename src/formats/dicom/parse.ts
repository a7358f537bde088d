import { open, type FileHandle } from 'node:fs/promises'
import { inflateRawSync, constants } from 'node:zlib'
import dicomParser, { type DataSet } from 'dicom-parser'
import { systemReason } from '../../common/system-error.ts'
import { InputError } from '../../errors.ts'

export type { DataSet } from 'dicom-parser'

export const PIXELS = 'x7fe00010'
export const SYNTAX = { implicit: '1.2.840.10008.1.2', explicit: '1.2.840.10008.1.2.1', big: '1.2.840.10008.1.2.2' } as const

/** Headers are read in steps: most end within the first, those of thousands of frames in the last. */
const STEPS = [2 ** 15, 2 ** 20, 2 ** 26]
const MAX_INFLATED = 1024 ** 3
const [PREAMBLE, MAGIC] = [128, 'DICM']

/** What stands at the beginning of what was locked away, and not of a DICOM file. */
const ENCRYPTED: readonly (string | Buffer)[] = [
  '-----BEGIN PGP MESSAGE', '-----BEGIN PKCS7', 'Salted__', 'age-encryption.org',
  // CMS of secure DICOM files (PS3.15): 1.2.840.113549.1.7.3 and 1.2.840.113549.1.9.16.1.23.
  Buffer.from('06092a864886f70d010703', 'hex'), Buffer.from('060b2a864886f70d0109100117', 'hex')
]
const HEAD = 64
const TAIL = 2 ** 16
const END_OF_PIXELS = Buffer.from('feffdde000000000', 'hex')

/** One sentence for each way in which a file is none that can be read; they are counted by it. */
const NOT_DICOM = 'the file is not DICOM, or its beginning is lost, and is not read'
export const CUT_OFF = 'the DICOM file is truncated: it ends before its data do; export it again'
export const DAMAGED = 'the DICOM file is damaged: its elements cannot be read; export it again'
const LOCKED = 'the file is encrypted: store it unlocked'
const TOO_LONG = 'the DICOM file has more than 64 MiB of elements before its pixels'

/** The elements of a file before its pixels; no more of it is read than they take. @throws InputError without a file name */
export async function readHeader (file: string): Promise<{ readonly dataSet: DataSet, readonly size: number }> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file)
    const { size } = await handle.stat()
    if (size === 0) throw new InputError('the file is empty')
    for (const step of STEPS) {
      const bytes = Buffer.alloc(Math.min(step, size))
      await handle.read(bytes, 0, bytes.length, 0)
      const isWhole = bytes.length === size
      const dataSet = parse(bytes, isWhole, PIXELS)
      if (dataSet != null) {
        if (dataSet.elements[PIXELS]?.hadUndefinedLength === true && !await endsWhole(handle, size)) throw new InputError(CUT_OFF)
        return { dataSet, size }
      }
      if (isWhole) throw new InputError(CUT_OFF)
    }
    throw new InputError(TOO_LONG)
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(systemReason(error))
  } finally {
    await handle?.close()
  }
}

/** Whether packed pixels end with their mark; little follows it. */
async function endsWhole (handle: FileHandle, size: number): Promise<boolean> {
  const tail = Buffer.alloc(Math.min(TAIL, size))
  await handle.read(tail, 0, tail.length, size - tail.length)
  return tail.includes(END_OF_PIXELS)
}

/** All elements of a file in memory. @throws InputError without a file name */
export function parseWhole (bytes: Buffer): DataSet {
  const dataSet = parse(bytes, true)
  if (dataSet == null) throw new InputError(CUT_OFF)
  return dataSet
}

/** How its elements and pixels are stored; files without that word are of the oldest way. */
export function syntaxOf (dataSet: DataSet): string {
  const element = dataSet.elements['x00020010'] as { Value?: string } | undefined
  return element?.Value ?? dataSet.string('x00020010') ?? SYNTAX.implicit
}

/** Undefined where the elements go on behind these bytes. @throws InputError for what is damaged, locked or something else */
function parse (given: Buffer, isWhole: boolean, untilTag?: string): DataSet | undefined {
  const bytes = prepared(given)
  let dataSet: DataSet
  try {
    const syntax = bareSyntax(bytes)
    dataSet = dicomParser.parseDicom(bytes, {
      ...untilTag == null ? {} : { untilTag },
      ...syntax == null ? {} : { TransferSyntaxUID: syntax },
      inflater: (packed: Uint8Array, position: number) => inflate(packed, position, isWhole)
    })
  } catch (error) {
    if (error instanceof InputError) throw error
    return refuse(error, isWhole)
  }
  const found = Object.values(dataSet.elements)
  if (untilTag != null && dataSet.elements[untilTag] != null) return dataSet
  const end = dataSet.byteArray.length
  const isCut = found.some(({ dataOffset = 0, length = 0 }) => dataOffset + length > end)
  return isCut || !isWhole ? undefined : dataSet
}

/** The parser throws texts, and objects with them. */
function refuse (error: unknown, isWhole: boolean): undefined {
  if (!isWhole) return undefined
  const { exception = error } = (typeof error === 'object' && error != null ? error : {}) as { exception?: unknown }
  const isEnd = typeof exception === 'string' && /past end|overread|overrun|maxPosition|invalid value/.test(exception)
  throw new InputError(isEnd ? CUT_OFF : DAMAGED)
}

/** With a preamble where the file has none but begins as DICOM does, and with names of types that the parser knows. */
function prepared (bytes: Buffer): Buffer {
  if (hasMagic(bytes)) return withKnownTypes(bytes)
  if (!looksBare(bytes)) {
    const isLocked = ENCRYPTED.some((sign) => bytes.subarray(0, HEAD).includes(sign))
    throw new InputError(isLocked ? LOCKED : NOT_DICOM)
  }
  return withKnownTypes(bytes.readUInt16LE(0) === 2 ? Buffer.concat([Buffer.alloc(PREAMBLE), Buffer.from(MAGIC), bytes]) : bytes)
}

/** The tables of offsets that may stand before the pixels are of a type younger than the parser; it reads them as bytes. */
function withKnownTypes (bytes: Buffer): Buffer {
  for (const element of [1, 2]) {
    const at = bytes.indexOf(Buffer.from([0xe0, 0x7f, element, 0, 0x4f, 0x56, 0, 0]))
    if (at >= 0) bytes.write('OB', at + 4, 'latin1')
  }
  return bytes
}

function hasMagic (bytes: Buffer): boolean {
  return bytes.toString('latin1', PREAMBLE, PREAMBLE + MAGIC.length) === MAGIC
}

/** Old files begin with their first element: a group 2 or 8, a small element, and two letters or a short length. */
function looksBare (bytes: Buffer): boolean {
  if (bytes.length < 16) return false
  const [group, element] = [bytes.readUInt16LE(0), bytes.readUInt16LE(2)]
  return (group === 2 || group === 8) && element < 0x20 && (hasType(bytes) || bytes.readUInt32LE(4) <= 64)
}

function hasType (bytes: Buffer): boolean {
  return /^[A-Z]{2}$/.test(bytes.toString('latin1', 4, 6))
}

function bareSyntax (bytes: Buffer): string | undefined {
  if (hasMagic(bytes)) return undefined
  return hasType(bytes) ? SYNTAX.explicit : SYNTAX.implicit
}

/** The whole file as the parser wants it, unpacked behind the file meta information; a part of a file as far as it goes. */
function inflate (bytes: Uint8Array, position: number, isWhole: boolean): Uint8Array {
  try {
    const finishFlush = isWhole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH
    const rest = inflateRawSync(bytes.subarray(position), { maxOutputLength: MAX_INFLATED, finishFlush })
    return Buffer.concat([bytes.subarray(0, position), rest])
  } catch {
    throw new InputError(CUT_OFF)
  }
}
