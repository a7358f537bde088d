import { dirname, join } from 'node:path'
import { InputError } from '../errors.ts'
import { readCapped } from './file.ts'
import { toFloats } from './map-into.ts'
import { parseHeader, type NiftiHeader, type Triple } from './nifti-header.ts'
import type { Voxels } from './nifti.ts'
import { swapBytes } from './swap-bytes.ts'
import { aligned, asArray, gunzipWhole, inflateWhole } from './unpack.ts'

const MAX_UNPACKED_BYTES = 1024 ** 3

/** Axes i, j, k as steps in mm, and the place of the first voxel, in a space whose axes run to the left, the back and the head. */
export interface LeftPosterior {
  readonly axes: readonly (readonly number[])[]
  readonly origin: readonly number[]
}

export type NumberType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'float32' | 'float64'

type View = (buffer: ArrayBuffer, at: number, count: number) => Voxels

const TYPES: Readonly<Record<NumberType, { readonly bytes: number, readonly view: View }>> = {
  int8: { bytes: 1, view: (...place) => new Int8Array(...place) },
  uint8: { bytes: 1, view: (...place) => new Uint8Array(...place) },
  int16: { bytes: 2, view: (...place) => new Int16Array(...place) },
  uint16: { bytes: 2, view: (...place) => new Uint16Array(...place) },
  int32: { bytes: 4, view: (...place) => new Int32Array(...place) },
  uint32: { bytes: 4, view: (...place) => new Uint32Array(...place) },
  int64: { bytes: 8, view: (...place) => toFloats(new BigInt64Array(...place)) },
  uint64: { bytes: 8, view: (...place) => toFloats(new BigUint64Array(...place)) },
  float32: { bytes: 4, view: (...place) => new Float32Array(...place) },
  float64: { bytes: 8, view: (...place) => new Float64Array(...place) }
}

export interface RawData {
  readonly type: NumberType
  readonly count: number
  readonly bigEndian: boolean
  /** hex: two digits a byte; text: numbers as people write them */
  readonly packing: 'none' | 'gzip' | 'zlib' | 'hex' | 'text'
  /** the data are the last bytes, wherever they begin */
  readonly atEnd?: boolean
}

/** The file of voxels that a header names. @throws InputError whose message is a reason without a file name */
export async function readDataFile (header: string, name: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readCapped(join(dirname(header), name.replaceAll('\\', '/')))
  } catch (error) {
    throw error instanceof InputError ? new InputError(`the file of voxels that its header names: ${error.message}`) : error
  }
}

const TRUNCATED = 'the file is truncated: it ends before its last voxel'

/** Numbers from the bytes behind a header. @throws InputError for cut-off or damaged data */
export async function rawVoxels (
  bytes: Uint8Array<ArrayBuffer>,
  { type, count, bigEndian, packing, atEnd = false }: RawData
): Promise<Voxels> {
  const { bytes: width, view } = TYPES[type]
  const length = count * width
  if (length > MAX_UNPACKED_BYTES) throw new InputError('the volume unpacks to more than 1024 MiB')
  if (packing === 'text') return written(bytes, count, view(new ArrayBuffer(length), 0, count))
  const plain = await unpack(bytes, packing, length)
  if (plain.length < length) throw new InputError(TRUNCATED)
  const start = atEnd ? plain.length - length : 0
  const own = aligned(plain, { start, length, width, change: bigEndian })
  if (bigEndian) swapBytes(own, width)
  return view(own.buffer, own.byteOffset, count)
}

function written (bytes: Uint8Array, count: number, voxels: Voxels): Voxels {
  const words = Buffer.from(bytes).toString('latin1').match(/[^\s,]+/g) ?? []
  if (words.length < count) throw new InputError(TRUNCATED)
  for (let i = 0; i < count; i++) voxels[i] = Number(words[i])
  return voxels
}

async function unpack (
  bytes: Uint8Array<ArrayBuffer>,
  packing: Exclude<RawData['packing'], 'text'>,
  expected: number
): Promise<Uint8Array<ArrayBuffer>> {
  if (packing === 'none') return bytes
  if (packing === 'hex') return asArray(Buffer.from(Buffer.from(bytes).toString('latin1').replace(/\s/g, ''), 'hex'))
  try {
    return packing === 'gzip' ? await gunzipWhole(bytes, MAX_UNPACKED_BYTES) : await inflateWhole(bytes, expected, MAX_UNPACKED_BYTES)
  } catch {
    throw new InputError('the compressed data is damaged or truncated')
  }
}

/** Where a volume's file says nothing of its place: the first slice as stored, millimetres. */
export const AS_STORED: LeftPosterior = { axes: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], origin: [0, 0, 0] }

/**
 * The NIfTI header of a volume of another format, under which its mask is written: one sform of 32 bit. @throws InputError for sizes
 * and places that no volume has
 */
export function headerOf (dims: Triple, { axes, origin }: LeftPosterior): NiftiHeader {
  const bytes = new Uint8Array(348)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, 348, true)
  ;[3, ...dims, 1, 1, 1, 1].forEach((side, i) => { view.setInt16(40 + 2 * i, Math.min(side, 32767), true) })
  view.setInt16(70, 16, true)
  view.setInt16(72, 32, true)
  ;[1, ...axes.map((axis) => Math.hypot(...axis))].forEach((size, i) => { view.setFloat32(76 + 4 * i, size, true) })
  view.setFloat32(108, 352, true)
  view.setFloat32(112, 1, true)
  view.setUint8(123, 2)
  view.setInt16(254, 1, true)
  for (const [world, sign] of [-1, -1, 1].entries()) {
    [...axes.map((axis) => axis[world]!), origin[world]!].forEach((value, i) => {
      view.setFloat32(280 + 16 * world + 4 * i, sign * value, true)
    })
  }
  bytes.set([0x6e, 0x2b, 0x31, 0], 344)
  return parseHeader(bytes)
}
