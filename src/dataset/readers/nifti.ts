import { inflateRaw } from 'node:zlib'
import { InputError } from '../../errors.ts'
import { readCapped } from './file.ts'
import { toFloats } from './map-into.ts'
import { parseHeader, type NiftiHeader } from './nifti-header.ts'
import { aligned, asArray, gunzipWhole } from './unpack.ts'

/** A small file may unpack to anything: more than a CT of 512×512×1000 at 32 bit is refused. */
const MAX_UNPACKED_BYTES = 1024 ** 3

/** Check sum and length behind the data of a gzip file. */
const TRAILER = 8

export type Voxels = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/** A volume as stored; the value of a voxel is stored · slope + intercept (see the header). */
export interface Volume {
  readonly header: NiftiHeader
  /** i runs fastest, then j, then k */
  readonly voxels: Voxels
}

/**
 * Reads .nii or .nii.gz (told apart by content), of several channels the first. @throws InputError whose message is a reason without a
 * file name
 */
export async function readNifti (file: string, limit = MAX_UNPACKED_BYTES, channels = 1): Promise<Volume> {
  const bytes = await open(file, limit)
  const header = parseHeader(bytes, channels)
  return { header, voxels: readVoxels(bytes, header) }
}

/** The same with every channel: a fourth dimension is one of channels. @throws InputError as it does */
export async function readNiftiChannels (file: string): Promise<Volume[]> {
  const bytes = await open(file, MAX_UNPACKED_BYTES)
  const header = parseHeader(bytes, 'any')
  const voxels = readVoxels(bytes, header, header.channels)
  const size = voxels.length / (header.channels ?? 1)
  return Array.from({ length: header.channels ?? 1 }, (_, at) => ({ header, voxels: voxels.subarray(at * size, (at + 1) * size) }))
}

async function open (file: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const packed = await readCapped(file)
  return packed[0] === 0x1f && packed[1] === 0x8b ? await unpack(packed, limit) : asArray(packed)
}

async function unpack (packed: Uint8Array, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const end = await gunzipWhole(packed, limit).catch(async () => await endOfFirst(packed, limit))
    return typeof end === 'number' ? await gunzipWhole(packed.subarray(0, end), limit) : end
  } catch (error) {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw new InputError(
      tooLarge ? `the volume unpacks to more than ${Math.floor(limit / 1024 ** 2)} MiB` : 'the compressed data is damaged or truncated'
    )
  }
}

/** Where the first member of a gzip file ends: some programs leave other bytes behind it. */
async function endOfFirst (packed: Uint8Array, limit: number): Promise<number> {
  const start = memberStart(packed)
  const used = await new Promise<number>((resolve, reject) => {
    // With `info` the result says how much of the input was used, which its types do not know.
    inflateRaw(packed.subarray(start), { maxOutputLength: limit, info: true }, (error, result) => {
      if (error == null) resolve((result as unknown as { engine: { bytesWritten: number } }).engine.bytesWritten)
      else reject(error)
    })
  })
  return start + used + TRAILER
}

/** RFC 1952: ten bytes, then as flagged an extra field, a name, a comment, and a check sum of the header. */
function memberStart (packed: Uint8Array): number {
  const flags = packed[3] ?? 0
  let at = 10
  if ((flags & 4) !== 0) at += 2 + (packed[at] ?? 0) + 256 * (packed[at + 1] ?? 0)
  for (const text of [8, 16]) if ((flags & text) !== 0) at = packed.indexOf(0, at) + 1
  return (flags & 2) !== 0 ? at + 2 : at
}

interface Type { readonly bytes: number, readonly view: (buffer: ArrayBuffer, at: number, count: number) => Voxels }

/** NIfTI datatype codes that hold one real number per voxel. */
const TYPES: Readonly<Record<number, Type>> = {
  2: { bytes: 1, view: (...place) => new Uint8Array(...place) },
  4: { bytes: 2, view: (...place) => new Int16Array(...place) },
  8: { bytes: 4, view: (...place) => new Int32Array(...place) },
  16: { bytes: 4, view: (...place) => new Float32Array(...place) },
  64: { bytes: 8, view: (...place) => new Float64Array(...place) },
  256: { bytes: 1, view: (...place) => new Int8Array(...place) },
  512: { bytes: 2, view: (...place) => new Uint16Array(...place) },
  768: { bytes: 4, view: (...place) => new Uint32Array(...place) },
  1024: { bytes: 8, view: (...place) => toFloats(new BigInt64Array(...place)) },
  1280: { bytes: 8, view: (...place) => toFloats(new BigUint64Array(...place)) }
}

function readVoxels (file: Uint8Array<ArrayBuffer>, { dims, datatype, offset, littleEndian }: NiftiHeader, channels = 1): Voxels {
  const type = TYPES[datatype]
  if (type == null) throw new InputError(`the voxel type (NIfTI code ${datatype}) is not supported; store whole or floating-point numbers`)
  const length = dims[0] * dims[1] * dims[2] * channels * type.bytes
  if (offset + length > file.length) throw new InputError('the file is truncated: it ends before its last voxel')
  const bytes = aligned(file, { start: offset, length, width: type.bytes, change: !littleEndian })
  if (!littleEndian) swap(bytes, type.bytes)
  return type.view(bytes.buffer, bytes.byteOffset, length / type.bytes)
}

function swap (bytes: Buffer, width: number): void {
  if (width === 2) bytes.swap16()
  if (width === 4) bytes.swap32()
  if (width === 8) bytes.swap64()
}
