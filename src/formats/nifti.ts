import { inflateRaw } from 'node:zlib'
import { InputError } from '../errors.ts'
import { readCapped } from './file.ts'
import { toFloats } from './map-into.ts'
import { parseHeader, type NiftiHeader } from './nifti-header.ts'
import { swapBytes } from './swap-bytes.ts'
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
  /** Segments of 3D Slicer, which stores as much of the image as they take up. */
  readonly segments?: boolean
  /** What the file says that it shows. */
  readonly modality?: 'ct' | 'other'
}

/**
 * Reads .nii or .nii.gz (told apart by content), of several channels the first. @throws InputError whose message is a reason without a
 * file name
 */
export async function readNifti (file: string, limit = MAX_UNPACKED_BYTES, channels = 1): Promise<Volume> {
  const { header, bytes, stated } = await open(file, limit, channels)
  return { header, voxels: readVoxels(bytes, header), ...stated }
}

/** The same with every channel: a fourth dimension is one of channels. @throws InputError as it does */
export async function readNiftiChannels (file: string): Promise<Volume[]> {
  const { header, bytes, stated } = await open(file, MAX_UNPACKED_BYTES, 'any')
  const voxels = readVoxels(bytes, header, header.channels)
  const size = voxels.length / (header.channels ?? 1)
  return Array.from({ length: header.channels ?? 1 }, (_, at) =>
    ({ header, voxels: voxels.subarray(at * size, (at + 1) * size), ...stated }))
}

interface Opened {
  readonly header: NiftiHeader
  /** the file of the voxels */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly stated: Pick<Volume, 'modality'>
}

async function open (file: string, limit: number, channels: number | 'any'): Promise<Opened> {
  const bytes = await readUnpacked(file, limit)
  const header = parseHeader(bytes, channels)
  const stated = isRescaled(header) ? { modality: 'ct' } as const : {}
  return { header, bytes: header.apart === true ? await readPartner(file, limit) : bytes, stated }
}

/** Scanners store Hounsfield units as numbers from 0, with this rescale slope and one of these intercepts; no other unit is stored so. */
function isRescaled ({ slope, intercept }: NiftiHeader): boolean {
  return slope === 1 && (intercept === -1024 || intercept === -1000)
}

async function readUnpacked (file: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const packed = await readCapped(file)
  return isPacked(packed, 0) ? await unpack(packed, limit) : asArray(packed)
}

/** The voxels of a pair of files: .img beside .hdr, packed or not. */
async function readPartner (file: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const stem = file.replace(/\.hdr(\.gz)?$/i, '')
  for (const ending of ['.img', '.img.gz', '.IMG']) {
    try {
      return await readUnpacked(stem + ending, limit)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      if (error.message !== 'it does not exist') throw new InputError(`the .img file of the .hdr: ${error.message}`)
    }
  }
  throw new InputError('the .img file that belongs to the .hdr is not beside it')
}

async function unpack (packed: Uint8Array, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const end = await gunzipWhole(packed, limit).catch(async () => await endOfMembers(packed, limit))
    return typeof end === 'number' ? await gunzipWhole(packed.subarray(0, end), limit) : end
  } catch (error) {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw new InputError(
      tooLarge ? `the volume unpacks to more than ${Math.floor(limit / 1024 ** 2)} MiB` : 'the compressed data is damaged or truncated'
    )
  }
}

function isPacked (bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x1f && bytes[at + 1] === 0x8b
}

/** Where the last member of a gzip file ends: some programs leave other bytes behind it. */
async function endOfMembers (packed: Uint8Array, limit: number): Promise<number> {
  let end = 0
  do end = await endOfMember(packed, end, limit)
  while (isPacked(packed, end))
  return end
}

async function endOfMember (packed: Uint8Array, from: number, limit: number): Promise<number> {
  const start = from + memberStart(packed.subarray(from))
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

const NUMBERS = 'store one whole or floating-point number a voxel'
/** NIfTI datatype codes of everything else. */
const STRANGE: Readonly<Record<number, string>> = {
  1: 'the voxels are single bits',
  32: 'the voxels are complex numbers',
  128: 'the voxels are colours in RGB',
  1536: 'the voxels are numbers of 128 bit',
  1792: 'the voxels are complex numbers',
  2048: 'the voxels are complex numbers',
  2304: 'the voxels are colours in RGBA'
}

function readVoxels (file: Uint8Array<ArrayBuffer>, { dims, datatype, offset, littleEndian }: NiftiHeader, channels = 1): Voxels {
  const type = TYPES[datatype]
  if (type == null) throw new InputError(`${STRANGE[datatype] ?? 'the voxels are of no known type'} (NIfTI code ${datatype}); ${NUMBERS}`)
  const length = dims[0] * dims[1] * dims[2] * channels * type.bytes
  if (offset + length > file.length) throw new InputError('the file is truncated: it ends before its last voxel')
  const bytes = aligned(file, { start: offset, length, width: type.bytes, change: !littleEndian })
  if (!littleEndian) swapBytes(bytes, type.bytes)
  return type.view(bytes.buffer, bytes.byteOffset, length / type.bytes)
}
