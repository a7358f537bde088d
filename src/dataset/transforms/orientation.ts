import type { Affine, NiftiHeader, Triple } from '../../formats/nifti-header.ts'
import { samePlace } from '../../formats/nifti-places.ts'
import type { Axis } from '../types.ts'

/** A walk over the voxel array along one anatomical direction. */
interface Walk {
  /** added to the start of the array */
  readonly start: number
  readonly step: number
  readonly count: number
  /** mm from one to the next */
  readonly spacing: number
}

/** How slices, their rows and their columns lie in the voxel array. */
export interface Cut {
  readonly axis: Axis
  readonly slices: Walk
  readonly rows: Walk
  readonly columns: Walk
  /** degrees between the anatomical axis and the slices actually cut */
  readonly obliqueDegrees: number
}

const [X, Y, Z] = [0, 1, 2] as const
type World = typeof X | typeof Y | typeof Z
interface Direction { readonly world: World, readonly sign: 1 | -1 }

/**
 * Radiological convention: the patient's right is at the left of axial and coronal slices, the front is at the top of axial and
 * at the left of sagittal ones, the head is at the top of the others. NIfTI world axes run to the right, to the front, to the head.
 */
const PLANES: Readonly<Record<Axis, Readonly<Record<'slices' | 'rows' | 'columns', Direction>>>> = {
  axial: { slices: { world: Z, sign: 1 }, rows: { world: Y, sign: -1 }, columns: { world: X, sign: -1 } },
  coronal: { slices: { world: Y, sign: 1 }, rows: { world: Z, sign: -1 }, columns: { world: X, sign: -1 } },
  sagittal: { slices: { world: X, sign: 1 }, rows: { world: Z, sign: -1 }, columns: { world: Y, sign: -1 } }
}

const ORDERS: readonly Triple[] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]

/** Slices along the voxel axis nearest to the anatomical one: nothing is interpolated, so oblique volumes stay as they were acquired. */
export function planCut (affine: Affine, dims: Triple, axis: Axis): Cut {
  const spacing = dims.map((_, voxel) => Math.hypot(...affine.map((row) => row[voxel]!)))
  const cosine = (world: number, voxel: number): number => affine[world]![voxel]! / spacing[voxel]!
  const order = nearestAxes(cosine)
  const strides = [1, dims[0], dims[0] * dims[1]]
  const walk = ({ world, sign }: Direction): Walk => {
    const voxel = order[world]
    const [count, stride] = [dims[voxel]!, strides[voxel]!]
    const forward = cosine(world, voxel) * sign > 0
    return { start: forward ? 0 : (count - 1) * stride, step: forward ? stride : -stride, count, spacing: spacing[voxel]! }
  }
  const plane = PLANES[axis]
  const { world } = plane.slices
  return {
    axis,
    slices: walk(plane.slices),
    rows: walk(plane.rows),
    columns: walk(plane.columns),
    obliqueDegrees: Math.acos(Math.min(1, Math.abs(cosine(world, order[world])))) * 180 / Math.PI
  }
}

/** For each world axis the voxel axis that follows it best, each used once. */
function nearestAxes (cosine: (world: number, voxel: number) => number): Triple {
  const fit = (order: Triple): number => order.reduce((sum, voxel, world) => sum + Math.abs(cosine(world, voxel)), 0)
  return ORDERS.reduce((best, order) => fit(order) > fit(best) + 1e-6 ? order : best)
}

/** Greatest distance in mm between the places that two headers give to the corners of the same cut. */
export function cornerDistance (a: Placed, b: Placed): number {
  const corners = [a, b].map(({ affine, dims, cut }) => [0, 1].map((end) => place(affine, dims, cut, end)))
  return Math.max(...[0, 1].map((end) => Math.hypot(...[X, Y, Z].map((world) => corners[0]![end]![world]! - corners[1]![end]![world]!))))
}

export interface Placed { readonly affine: Affine, readonly dims: Triple, readonly cut: Cut }

/** World coordinates of the first (0) or last (1) pixel of the first or last slice. */
function place (affine: Affine, dims: Triple, { slices, rows, columns }: Cut, end: number): number[] {
  const at = [slices, rows, columns].reduce((sum, { start, step, count }) => sum + start + end * step * (count - 1), 0)
  const voxel = [at % dims[0], Math.floor(at / dims[0]) % dims[1], Math.floor(at / (dims[0] * dims[1]))]
  return affine.map((row) => row[0] * voxel[0]! + row[1] * voxel[1]! + row[2] * voxel[2]! + row[3])
}

/** Whether the mask's own header proves that it lies on the image's voxels, one for one. */
export function sameGrid (image: NiftiHeader, mask: NiftiHeader): boolean {
  if (image.dims.some((count, axis) => count !== mask.dims[axis])) return false
  const [places, claims] = [image, mask].map(({ affine, others = [] }) => [affine, ...others])
  return places!.some((here) => claims!.some((there) => samePlace(here, there, image.dims)))
}
