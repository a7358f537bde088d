import { isNIFTI, readHeader, type NIFTI1, type NIFTI2 } from 'nifti-reader-js'
import { InputError } from '../../errors.ts'
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
  /** Channels that lie one after the other in the fourth dimension, where there are several. */
  readonly channels?: number
  /** the header as it stood in the file, without extensions */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Bytes of the two headers; NIfTI-2 differs in widths and places, not in meaning. */
const SIZE = { 1: 348, 2: 540 } as const
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
  const header = parse(bytes)
  return {
    version,
    littleEndian: header.littleEndian,
    ...readDims(header, channels),
    datatype: header.datatypeCode,
    ...readScale(header),
    offset: Math.max(SIZE[version], Math.round(header.vox_offset)),
    ...readPlaces(header, new DataView(bytes.buffer), version),
    bytes
  }
}

function parse (bytes: Uint8Array<ArrayBuffer>): NIFTI1 | NIFTI2 {
  const damaged = new InputError('the file is not NIfTI, or its header is damaged')
  if (bytes.length < SIZE[1] || !isNIFTI(bytes.buffer)) throw damaged
  try {
    return readHeader(bytes.buffer)
  } catch {
    throw damaged
  }
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

/** NIfTI: a slope of 0 (or none) means that the stored values are the values. */
function readScale ({ scl_slope: slope, scl_inter: intercept }: NIFTI1 | NIFTI2): { slope: number, intercept: number } {
  if (slope === 0 || !Number.isFinite(slope) || !Number.isFinite(intercept)) return { slope: 1, intercept: 0 }
  return { slope, intercept }
}
