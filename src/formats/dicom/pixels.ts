import { InputError } from '../../errors.ts'
import { readCapped } from '../file.ts'
import type { Voxels } from '../nifti.ts'
import { swapBytes } from '../swap-bytes.ts'
import { asArray } from '../unpack.ts'
import { decoderOf, type Layout } from './codecs.ts'
import { short, text } from './elements.ts'
import { frameCount } from './instance.ts'
import { CUT_OFF, DAMAGED, parseWhole, PIXELS, SYNTAX, syntaxOf, type DataSet } from './parse.ts'
import { unpackRle } from './rle.ts'

/** Of a frame; more is no picture that a scanner makes. */
const MOST_SAMPLES = 2 ** 28
const RLE = '1.2.840.10008.1.2.5'
const NATIVE: readonly string[] = [SYNTAX.implicit, SYNTAX.explicit, SYNTAX.big, '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.1.98']
/** Pixels in floating-point numbers, and their bytes. */
const REALS = [{ tag: 'x7fe00008', width: 4 }, { tag: 'x7fe00009', width: 8 }] as const

/** The pixels of a file, frame by frame. */
export interface PixelFile extends Layout {
  readonly dataSet: DataSet
  readonly frames: number
  /** bits that count in each sample, 1 for bits packed into bytes */
  readonly bits: number
  readonly signed: boolean
  /** Numbers as stored, of a frame from 0. @throws InputError whose message is a reason without a file name */
  frame (index: number): Voxels | Promise<Voxels>
}

/** Opens the pixels of a file. @throws InputError whose message is a reason without a file name */
export async function openPixels (file: string): Promise<PixelFile> {
  const dataSet = parseWhole(await readCapped(file))
  const facts = factsOf(dataSet)
  const real = REALS.find(({ tag }) => dataSet.elements[tag] != null)
  if (real != null) return { ...facts, bytes: 4, bits: 32, signed: true, frame: (index) => floats(facts, real, index) }
  const allocated = short(dataSet, 'x00280100') ?? 0
  if (![1, 8, 16, 32].includes(allocated)) {
    throw new InputError(`the pixels have ${allocated} bits, and 1, 8, 16 and 32 are read: export them so`)
  }
  const layout = { ...facts, bytes: Math.max(1, allocated / 8) as 1 | 2 | 4, signed: short(dataSet, 'x00280103') === 1 }
  if (allocated === 1) return { ...layout, bits: 1, frame: (index) => bitsOf(layout, index) }
  const bits = Math.min(short(dataSet, 'x00280101') ?? allocated, allocated)
  const shift = Math.max(0, (short(dataSet, 'x00280102') ?? bits - 1) + 1 - bits)
  return { ...layout, bits, frame: async (index) => numbersOf(await samplesOf(layout, index), { ...layout, bits, shift }) }
}

type Facts = Pick<PixelFile, 'dataSet' | 'rows' | 'columns' | 'samples' | 'frames' | 'photometric'>

function factsOf (dataSet: DataSet): Facts {
  const [rows = 0, columns = 0, samples = 1] = ['x00280010', 'x00280011', 'x00280002'].map((tag) => short(dataSet, tag))
  const isUsable = rows > 0 && columns > 0 && (samples === 1 || samples === 3) && rows * columns * samples <= MOST_SAMPLES
  if (!isUsable) throw new InputError(DAMAGED)
  return { dataSet, rows, columns, samples, frames: frameCount(dataSet), photometric: text(dataSet, 'x00280004') ?? 'MONOCHROME2' }
}

type Stored = Layout & Facts & Pick<PixelFile, 'signed'>

function nativePart ({ dataSet, frames }: Facts, tag: string, index: number, length: number): Buffer<ArrayBuffer> {
  const { dataOffset = 0, length: stored = 0 } = dataSet.elements[tag] ?? {}
  const start = dataOffset + index * length
  const isThere = index < frames && start + length <= Math.min(dataOffset + stored, dataSet.byteArray.length)
  if (!isThere) throw new InputError(CUT_OFF)
  return Buffer.from(dataSet.byteArray.subarray(start, start + length))
}

function floats (file: Facts, { tag, width }: (typeof REALS)[number], index: number): Voxels {
  const bytes = nativePart(file, tag, index, file.rows * file.columns * width)
  if (syntaxOf(file.dataSet) === SYNTAX.big) swapBytes(bytes, width)
  const { buffer } = Uint8Array.from(bytes)
  return width === 4 ? new Float32Array(buffer) : new Float64Array(buffer)
}

/** Bits run on from frame to frame without a gap. */
function bitsOf (file: Stored, index: number): Uint8Array {
  const count = file.rows * file.columns
  const first = index * count
  const [from, to] = [Math.floor(first / 8), Math.ceil((first + count) / 8)]
  const { dataOffset = 0, length = 0, hadUndefinedLength } = file.dataSet.elements[PIXELS] ?? {}
  if (hadUndefinedLength === true) throw new InputError('the bits of the segmentation are packed: export it unpacked')
  if (to > length || dataOffset + to > file.dataSet.byteArray.length) throw new InputError(CUT_OFF)
  const bytes = Buffer.from(file.dataSet.byteArray.subarray(dataOffset + from, dataOffset + to))
  const out = new Uint8Array(count)
  for (let i = 0; i < count; i++) out[i] = (bytes[((first + i) >> 3) - from]! >> ((first + i) & 7)) & 1
  return out
}

interface Sampled { readonly bytes: Uint8Array<ArrayBuffer>, readonly colour?: boolean }

/** The samples of a frame, interleaved, the lowest byte first; colours as red, green and blue. */
async function samplesOf (file: Stored, index: number): Promise<Sampled['bytes']> {
  const syntax = syntaxOf(file.dataSet)
  const { rows, columns, samples, bytes: width, photometric } = file
  const pixels = rows * columns
  if (!NATIVE.includes(syntax)) {
    const packed = fragmentsOf(file, index)
    const isRle = syntax === RLE
    const { bytes, colour = false } = isRle ? { bytes: unpackRle(packed, pixels, samples, width) } : await decoderOf(syntax)(packed, file)
    return colour || !photometric.startsWith('YBR_FULL') ? bytes : toRgb(bytes)
  }
  if (photometric === 'YBR_FULL_422') return toRgb(fromPairs(nativePart(file, PIXELS, index, pixels * 2)))
  const bytes = syntax === SYNTAX.big ? bigEndian(file, index) : nativePart(file, PIXELS, index, pixels * samples * width)
  const plain = samples === 3 && short(file.dataSet, 'x00280006') === 1 ? interleave(asArray(bytes), pixels, width) : asArray(bytes)
  return samples === 3 && photometric === 'YBR_FULL' ? toRgb(plain) : plain
}

/** Bytes of 8-bit samples in words are swapped, too; the last word of an odd number is filled up. */
function bigEndian (file: Stored, index: number): Buffer<ArrayBuffer> {
  const length = file.rows * file.columns * file.samples * file.bytes
  const inWords = file.bytes === 1 && file.dataSet.elements[PIXELS]?.vr === 'OW'
  const bytes = nativePart(file, PIXELS, index, inWords && file.frames === 1 ? length + length % 2 : length)
  if (inWords && bytes.length % 2 > 0) {
    throw new InputError('frames of an odd number of bytes in a big-endian file are not read: export it again')
  }
  swapBytes(bytes, inWords ? 2 : file.bytes)
  return bytes.subarray(0, length)
}

function interleave (planes: Uint8Array, pixels: number, width: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(planes.length)
  for (let s = 0; s < 3; s++) {
    for (let i = 0; i < pixels; i++) for (let b = 0; b < width; b++) out[(i * 3 + s) * width + b] = planes[(s * pixels + i) * width + b]!
  }
  return out
}

/** Two pixels share their colour: brightness, brightness, blue, red. */
function fromPairs (pairs: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(pairs.length / 2 * 3)
  for (let i = 0, to = 0; i < pairs.length; i += 4) {
    for (const y of [pairs[i]!, pairs[i + 1]!]) {
      out[to++] = y
      out[to++] = pairs[i + 2]!
      out[to++] = pairs[i + 3]!
    }
  }
  return out
}

/** PS3.3 C.7.6.3.1.2: brightness and differences of blue and red to red, green and blue. */
function toRgb (ybr: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8ClampedArray(ybr.length)
  for (let i = 0; i < ybr.length; i += 3) {
    const [y, b, r] = [ybr[i]!, ybr[i + 1]! - 128, ybr[i + 2]! - 128]
    out[i] = y + 1.402 * r
    out[i + 1] = y - 0.114 * 1.772 / 0.587 * b - 0.299 * 1.402 / 0.587 * r
    out[i + 2] = y + 1.772 * b
  }
  return new Uint8Array(out.buffer)
}

/** The bytes of a packed frame: its fragments by the table of offsets, or by how their pictures begin. */
function fragmentsOf ({ dataSet, frames }: Stored, index: number): Uint8Array<ArrayBuffer> {
  const element = dataSet.elements[PIXELS]
  const { fragments = [], basicOffsetTable = [] } = element ?? {}
  const parts = fragments.map(({ position, length }) => {
    if (position + length > dataSet.byteArray.length) throw new InputError(CUT_OFF)
    return dataSet.byteArray.subarray(position, position + length)
  })
  const starts = frames === 1
    ? [0]
    : parts.length === frames
      ? parts.map((_, at) => at)
      : basicOffsetTable.length === frames
        ? basicOffsetTable.map((offset) => fragments.findIndex((fragment) => fragment.offset === offset))
        : parts.flatMap((part, at) => isPicture(part) ? [at] : [])
  const [start, end] = [starts[index], starts[index + 1] ?? parts.length]
  if (start == null || start < 0 || starts.length !== frames || start >= parts.length) throw new InputError(CUT_OFF)
  return asArray(Buffer.concat(parts.slice(start, end)))
}

/** JPEG and JPEG 2000 begin with their own marks. */
function isPicture (part: Uint8Array): boolean {
  return part[0] === 0xff && ((part[1] === 0xd8 && part[2] === 0xff) || (part[1] === 0x4f && part[2] === 0xff))
}

interface Numbering { readonly bytes: 1 | 2 | 4, readonly bits: number, readonly shift: number, readonly signed: boolean }

/** Numbers of the bits that count: others may hold overlays, or nothing. */
function numbersOf (samples: Uint8Array<ArrayBuffer>, { bytes: width, bits, shift, signed }: Numbering): Voxels {
  const [buffer, at] = samples.byteOffset % width === 0
    ? [samples.buffer, samples.byteOffset] as const
    : [samples.slice().buffer, 0] as const
  const length = samples.length / width
  const stored = width === 1
    ? signed ? new Int8Array(buffer, at, length) : new Uint8Array(buffer, at, length)
    : width === 2
      ? signed ? new Int16Array(buffer, at, length) : new Uint16Array(buffer, at, length)
      : signed ? new Int32Array(buffer, at, length) : new Uint32Array(buffer, at, length)
  if (bits === 8 * width) return stored
  const left = 32 - bits - shift
  for (let i = 0; i < length; i++) stored[i] = signed ? (stored[i]! << left) >> (32 - bits) : (stored[i]! << left) >>> (32 - bits)
  return stored
}
