import { isNIFTI, readHeader, type NIFTI1, type NIFTI2 } from 'nifti-reader-js'
import { InputError } from '../errors.ts'
import { notRead } from './known-formats.ts'
import { readPlaces, type Places, type Triple } from './nifti-places.ts'

export type { Affine, Triple } from './nifti-places.ts'

export interface NiftiHeader extends Places {
  readonly version: 1 | 2
  readonly littleEndian: boolean
  readonly dims: Triple
  readonly datatype: number
  /** value = stored · slope + intercept */
  readonly slope: number
  readonly intercept: number
  /** where the voxels begin in the file */
  readonly offset: number
  /** Whether that file is another one (.img) than that of the header. */
  readonly apart?: boolean
  /** Channels that lie one after the other in the fourth dimension, where there are several. */
  readonly channels?: number
  /** the header as it stood in the file, without extensions */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Bytes of the two headers; NIfTI-2 differs in widths and places, not in meaning. */
const SIZE = { 1: 348, 2: 540 } as const
/** Where they say n+1 or ni1, and n+2 or ni2. */
const MAGIC = { 1: 344, 2: 4 } as const
const MAX_SIDE = 16384

/**
 * Reads and checks the header of an uncompressed NIfTI-1 or -2 file; with `channels`, a fourth dimension of that length, or of any, is
 * one of channels. @throws InputError whose message is a reason without a file name
 */
export function parseHeader (file: Uint8Array<ArrayBuffer>, channels: number | 'any' = 1): NiftiHeader {
  // The first number is the size of the header, 348 (0x015c) or 540 (0x021c), in either byte order.
  const version = file[0] === 0x5c || file[3] === 0x5c ? 1 : 2
  // Only the header proper is handed to the library: its extension parser loops or throws on damaged sizes.
  const bytes = file.slice(0, SIZE[version])
  const apart = bytes[MAGIC[version] + 1] === 'i'.charCodeAt(0)
  // The mask of a pair is written as one file, and the library knows no pairs of version 2.
  if (apart) bytes[MAGIC[version] + 1] = '+'.charCodeAt(0)
  const header = parse(bytes)
  return {
    version,
    littleEndian: header.littleEndian,
    ...readDims(header, channels),
    datatype: header.datatypeCode,
    ...readScale(header),
    offset: Math.max(apart ? 0 : SIZE[version], Math.round(header.vox_offset)),
    ...apart ? { apart } : {},
    ...readPlaces(header, new DataView(bytes.buffer), version),
    bytes
  }
}

function parse (bytes: Uint8Array<ArrayBuffer>): NIFTI1 | NIFTI2 {
  if (bytes.length < SIZE[1] || !isNIFTI(bytes.buffer)) {
    throw new InputError(isAnalyze(bytes) ? ANALYZE : notRead(Buffer.from(bytes), 'nifti', DAMAGED))
  }
  try {
    return readHeader(bytes.buffer)
  } catch {
    throw new InputError(DAMAGED)
  }
}

const DAMAGED = 'the file is not NIfTI, or its header is damaged'
const ANALYZE = 'the file is Analyze 7.5, which does not say where left and right are: store it as NIfTI with the program that made it'

/** The same header, but for the magic, which was free text. */
function isAnalyze (bytes: Uint8Array): boolean {
  const first = new DataView(bytes.buffer, bytes.byteOffset)
  return bytes.length >= SIZE[1] && (first.getInt32(0, true) === SIZE[1] || first.getInt32(0) === SIZE[1])
}

function readDims ({ dims }: NIFTI1 | NIFTI2, channels: number | 'any'): Pick<NiftiHeader, 'dims' | 'channels'> {
  const count = dims[0] ?? 0
  const at = (axis: number): number => axis <= count ? dims[axis] ?? 0 : 1
  const size: Triple = [at(1), at(2), at(3)]
  if (count < 2 || count > 7 || size.some((side) => !(side >= 1 && side <= MAX_SIDE))) {
    throw new InputError('the header gives no usable size')
  }
  const further = [4, 5, 6, 7].map(at).filter((length) => length > 1)
  if (further.length === 0) return { dims: size }
  if (further.length === 1 && (channels === 'any' || further[0] === channels)) return { dims: size, channels: further[0]! }
  throw new InputError(
    `the volume has a fourth dimension (time or channels) of ${further.join('×')}; store one volume per file, or name that many ` +
      'channels in dataset.json'
  )
}

/** NIfTI: a slope of 0 (or none) means that the stored values are the values; an intercept that is no number is 0, as in nifti_clib. */
function readScale ({ scl_slope: slope, scl_inter: intercept }: NIFTI1 | NIFTI2): { slope: number, intercept: number } {
  if (slope === 0 || !Number.isFinite(slope)) return { slope: 1, intercept: 0 }
  return { slope, intercept: Number.isFinite(intercept) ? intercept : 0 }
}
