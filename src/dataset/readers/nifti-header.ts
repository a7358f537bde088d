import { isNIFTI, readHeader, type NIFTI1, type NIFTI2 } from 'nifti-reader-js'
import { InputError } from '../../errors.ts'

/** Three numbers, one per voxel axis i, j, k (the first runs fastest) or world axis. */
export type Triple = readonly [number, number, number]

/** World coordinates in mm (x to the patient's right, y to the front, z to the head) of voxel (i, j, k): three rows of i, j, k, offset. */
export type Affine = readonly [Row, Row, Row]
type Row = readonly [number, number, number, number]

export interface NiftiHeader {
  readonly version: 1 | 2
  readonly littleEndian: boolean
  readonly dims: Triple
  readonly datatype: number
  /** value = stored · slope + intercept */
  readonly slope: number
  readonly intercept: number
  /** where the voxels begin in the file */
  readonly offset: number
  readonly affine: Affine
  /** the header as it stood in the file, without extensions */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Bytes of the two headers; NIfTI-2 differs in widths and places, not in meaning. */
const SIZE = { 1: 348, 2: 540 } as const
const SFORM_AT = { 1: 280, 2: 400 } as const
const MAX_SIDE = 16384

/** Reads and checks the header of an uncompressed NIfTI-1 or -2 file. @throws InputError whose message is a reason without a file name */
export function parseHeader (file: Uint8Array<ArrayBuffer>): NiftiHeader {
  // The first number is the size of the header, 348 (0x015c) or 540 (0x021c), in either byte order.
  const version = file[0] === 0x5c || file[3] === 0x5c ? 1 : 2
  // Only the header proper is handed to the library: its extension parser loops or throws on damaged sizes.
  const bytes = file.slice(0, SIZE[version])
  const header = parse(bytes)
  return {
    version,
    littleEndian: header.littleEndian,
    dims: readDims(header),
    datatype: header.datatypeCode,
    ...readScale(header),
    offset: Math.max(SIZE[version], Math.round(header.vox_offset)),
    affine: readAffine(header, new DataView(bytes.buffer), version),
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

function readDims ({ dims }: NIFTI1 | NIFTI2): Triple {
  const count = dims[0] ?? 0
  const at = (axis: number): number => axis <= count ? dims[axis] ?? 0 : 1
  const size: Triple = [at(1), at(2), at(3)]
  if (count < 2 || count > 7 || size.some((side) => !(side >= 1 && side <= MAX_SIDE))) {
    throw new InputError('the header gives no usable size')
  }
  for (let axis = 4; axis <= count; axis++) {
    if (at(axis) > 1) throw new InputError('the volume has a fourth dimension (time or channels); store one volume per file')
  }
  return size
}

/** NIfTI: a slope of 0 (or none) means that the stored values are the values. */
function readScale ({ scl_slope: slope, scl_inter: intercept }: NIFTI1 | NIFTI2): { slope: number, intercept: number } {
  if (slope === 0 || !Number.isFinite(slope) || !Number.isFinite(intercept)) return { slope: 1, intercept: 0 }
  return { slope, intercept }
}

/** The sform if there is one, else the qform, else voxel sizes alone (NIfTI methods 3, 2, 1). */
function readAffine (header: NIFTI1 | NIFTI2, view: DataView, version: 1 | 2): Affine {
  const affine = header.sform_code > 0 ? sform(view, version, header.littleEndian) : header.qform_code > 0 ? qform(header) : plain(header)
  const usable = affine.every((row) => row.every(Number.isFinite)) && Math.abs(determinant(affine)) > 1e-9
  if (!usable) throw new InputError('the header gives no usable orientation and voxel size')
  return affine
}

function sform (view: DataView, version: 1 | 2, littleEndian: boolean): Affine {
  const at = (index: number): number => version === 1
    ? view.getFloat32(SFORM_AT[1] + 4 * index, littleEndian)
    : view.getFloat64(SFORM_AT[2] + 8 * index, littleEndian)
  return [[at(0), at(1), at(2), at(3)], [at(4), at(5), at(6), at(7)], [at(8), at(9), at(10), at(11)]]
}

function qform ({ quatern_b: b, quatern_c: c, quatern_d: d, qoffset_x: x, qoffset_y: y, qoffset_z: z, pixDims }: NIFTI1 | NIFTI2): Affine {
  // Rounded quaternions may be a hair longer than 1: without the bound the root is NaN.
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d))
  const [i, j] = [Math.abs(pixDims[1] ?? 0), Math.abs(pixDims[2] ?? 0)]
  const k = Math.abs(pixDims[3] ?? 0) * ((pixDims[0] ?? 1) < 0 ? -1 : 1)
  return [
    [(a * a + b * b - c * c - d * d) * i, 2 * (b * c - a * d) * j, 2 * (b * d + a * c) * k, x],
    [2 * (b * c + a * d) * i, (a * a + c * c - b * b - d * d) * j, 2 * (c * d - a * b) * k, y],
    [2 * (b * d - a * c) * i, 2 * (c * d + a * b) * j, (a * a + d * d - b * b - c * c) * k, z]
  ]
}

function plain ({ pixDims }: NIFTI1 | NIFTI2): Affine {
  const size = (axis: number): number => Math.abs(pixDims[axis] ?? 0)
  return [[size(1), 0, 0, 0], [0, size(2), 0, 0], [0, 0, size(3), 0]]
}

function determinant ([x, y, z]: Affine): number {
  return x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) + x[2] * (y[0] * z[1] - y[1] * z[0])
}
