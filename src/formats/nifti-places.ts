import type { NIFTI1, NIFTI2 } from 'nifti-reader-js'
import { InputError } from '../errors.ts'

/** Three numbers, one per voxel axis i, j, k (the first runs fastest) or world axis. */
export type Triple = readonly [number, number, number]

/** World coordinates in mm (x to the patient's right, y to the front, z to the head) of voxel (i, j, k): three rows of i, j, k, offset. */
export type Affine = readonly [Row, Row, Row]
type Row = readonly [number, number, number, number]

/** Where a header puts its volume. */
export interface Places {
  /** By the sform, else the qform, else the voxel sizes alone (NIfTI methods 3, 2, 1). */
  readonly affine: Affine
  /** Where else the file may be meant to lie: by its qform, as other programs read it, or by the numbers without their unit. */
  readonly others?: readonly Affine[]
  /** Whether qform and sform put it at different places. */
  readonly twoPlaces?: boolean
}

const SFORM_AT = { 1: 280, 2: 400 } as const

/** @throws InputError where a header gives no usable place */
export function readPlaces (header: NIFTI1 | NIFTI2, view: DataView, version: 1 | 2): Places {
  const sizes = voxelSizes(header)
  const s = usable(header.sform_code > 0, () => sform(view, version, header.littleEndian))
  const q = usable(header.qform_code > 0, () => qform(header, sizes))
  const placed = header.sform_code > 0 || header.qform_code > 0
  const affine = s ?? q ?? (placed ? undefined : along(sizes, [1, 1, 1]))
  if (affine == null) throw new InputError('the header gives no usable orientation and voxel size')
  const stated = [...s == null ? [] : [resized(s, sizes)], ...q == null ? [] : [q]]
  const others = [affine, ...placed ? stated : unplaced(header, sizes)]
  const unit = UNITS[header.xyzt_units & 7] ?? 1
  return {
    affine: scaled(affine, unit),
    others: [...others, ...others.map((each) => scaled(each, unit))],
    ...differ(s, q, dimsOf(header)) ? { twoPlaces: true } : {}
  }
}

function differ (s: Affine | undefined, q: Affine | undefined, dims: Triple): boolean {
  return s != null && q != null && !samePlace(s, q, dims)
}

function usable (stated: boolean, read: () => Affine): Affine | undefined {
  const affine = stated ? read() : undefined
  const fits = affine?.every((row) => row.every(Number.isFinite)) === true && Math.abs(determinant(affine)) > 1e-9
  return fits ? affine : undefined
}

function dimsOf ({ dims }: NIFTI1 | NIFTI2): Triple {
  const at = (axis: number): number => Math.max(1, dims[axis] ?? 1)
  return [at(1), at(2), at(3)]
}

/** Codes of the unit of length → mm; 0 is unknown, and taken for mm. */
const UNITS: Readonly<Record<number, number>> = { 1: 1000, 2: 1, 3: 0.001 }

/** Sizes of 0, or that are no number, are 1, as in nifti_clib, ITK and nibabel. */
function voxelSizes ({ pixDims }: NIFTI1 | NIFTI2): Triple {
  const size = (axis: number): number => {
    const length = Math.abs(pixDims[axis] ?? 0)
    return length > 0 && Number.isFinite(length) ? length : 1
  }
  return [size(1), size(2), size(3)]
}

function scaled (affine: Affine, factor: number): Affine {
  return affine.map((row) => row.map((value) => value * factor)) as unknown as Affine
}

/** ITK takes directions from the sform and sizes from pixdim. */
function resized (affine: Affine, sizes: Triple): Affine {
  const lengths = sizes.map((_, voxel) => Math.hypot(...affine.map((row) => row[voxel]!)))
  return affine.map((row) => row.map((value, at) => at < 3 ? value / lengths[at]! * sizes[at]! : value)) as unknown as Affine
}

/** Where ITK and nibabel put a volume whose header says nothing: from the first voxel on, or around the middle, with x mirrored. */
function unplaced (header: NIFTI1 | NIFTI2, sizes: Triple): Affine[] {
  const middle = dimsOf(header).map((count, axis) => sizes[axis]! * (count - 1) / 2)
  const centred = along(sizes, [-1, 1, 1]).map((row, axis) => [...row.slice(0, 3), axis === 0 ? middle[0] : -middle[axis]!])
  return [along(sizes, [-1, -1, 1]), centred as unknown as Affine]
}

function along (sizes: Triple, signs: Triple): Affine {
  return [[sizes[0] * signs[0], 0, 0, 0], [0, sizes[1] * signs[1], 0, 0], [0, 0, sizes[2] * signs[2], 0]]
}

function sform (view: DataView, version: 1 | 2, littleEndian: boolean): Affine {
  const at = (index: number): number => version === 1
    ? view.getFloat32(SFORM_AT[1] + 4 * index, littleEndian)
    : view.getFloat64(SFORM_AT[2] + 8 * index, littleEndian)
  return [[at(0), at(1), at(2), at(3)], [at(4), at(5), at(6), at(7)], [at(8), at(9), at(10), at(11)]]
}

function qform (
  { quatern_b: b, quatern_c: c, quatern_d: d, qoffset_x: x, qoffset_y: y, qoffset_z: z, pixDims }: NIFTI1 | NIFTI2,
  [i, j, size]: Triple
): Affine {
  // Rounded quaternions may be a hair longer than 1: without the bound the root is NaN.
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d))
  const k = size * ((pixDims[0] ?? 1) < 0 ? -1 : 1)
  return [
    [(a * a + b * b - c * c - d * d) * i, 2 * (b * c - a * d) * j, 2 * (b * d + a * c) * k, x],
    [2 * (b * c + a * d) * i, (a * a + c * c - b * b - d * d) * j, 2 * (c * d - a * b) * k, y],
    [2 * (b * d - a * c) * i, 2 * (c * d + a * b) * j, (a * a + d * d - b * b - c * c) * k, z]
  ]
}

function determinant ([x, y, z]: Affine): number {
  return x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) + x[2] * (y[0] * z[1] - y[1] * z[0])
}

/** Places this near to each other, as a share of the smallest voxel side, are the same place rounded. */
const SAME_SHARE = 0.1

/** Whether two affines put every voxel of a grid at the same place. */
export function samePlace (a: Affine, b: Affine, dims: Triple): boolean {
  const side = Math.min(...[0, 1, 2].map((voxel) => Math.hypot(...a.map((row) => row[voxel]!))))
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => dims.map((count, axis) => (corner >> axis & 1) * (count - 1)))
  const place = (affine: Affine, [i = 0, j = 0, k = 0]: number[]): number[] =>
    affine.map((row) => row[0] * i + row[1] * j + row[2] * k + row[3])
  return corners.every((corner) => {
    const [here, there] = [place(a, corner), place(b, corner)]
    return Math.hypot(...here.map((value, axis) => value - there[axis]!)) <= SAME_SHARE * side
  })
}
