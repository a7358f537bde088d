import { InputError } from '../../errors.ts'
import type { NiftiHeader, Triple } from '../../formats/nifti-header.ts'
import type { Volume } from '../../formats/nifti.ts'
import type { Axis, AxisChoice } from '../types.ts'
import { brightness, type NormaliseOptions } from './normalise.ts'
import { planCut, type Cut } from './orientation.ts'
import { resizeImage, resizeLabels } from './resize.ts'

const MAX_SIDE = 4096
/** In-plane spacings that differ by less are square pixels. */
const SQUARE_TOLERANCE = 0.01
/** Slices at least this much thicker than their pixels were acquired as slices. */
const CUBE_TOLERANCE = 1.2
const AXES = ['axial', 'coronal', 'sagittal'] as const

/** A volume seen as a stack of slices of square pixels. */
export interface Stack {
  readonly cut: Cut
  /** pixels of a slice after resampling to square pixels */
  readonly height: number
  readonly width: number
}

/**
 * Plans the stack of a volume; the one dimension of 1 of a single slice is its axis whatever was chosen, since other cuts are strips.
 * @throws InputError when its pixels are too far from square
 */
export function planStack ({ header }: Pick<Volume, 'header'> & Partial<Volume>, axis: AxisChoice = 'auto'): Stack {
  const cut = singleSlice(header) ?? planCut(header.affine, header.dims, axis === 'auto' ? acquiredPlane(header) : axis)
  const { rows, columns } = cut
  const finer = Math.min(rows.spacing, columns.spacing)
  const square = Math.max(rows.spacing, columns.spacing) / finer < 1 + SQUARE_TOLERANCE
  const height = square ? rows.count : Math.max(1, Math.round(rows.count * rows.spacing / finer))
  const width = square ? columns.count : Math.max(1, Math.round(columns.count * columns.spacing / finer))
  if (Math.max(height, width) > MAX_SIDE) {
    throw new InputError(`a slice would have ${width}×${height} square pixels: cut along another axis`)
  }
  return { cut, height, width }
}

function singleSlice ({ affine, dims }: NiftiHeader): Cut | undefined {
  if (dims.filter((count) => count === 1).length !== 1) return undefined
  return AXES.map((axis) => planCut(affine, dims, axis)).find(({ slices }) => slices.count === 1)
}

function acquiredPlane ({ affine, dims }: NiftiHeader): Axis {
  const planes = AXES.map((axis) => planCut(affine, dims, axis))
  const coarsest = planes.reduce((best, plane) => plane.slices.spacing > best.slices.spacing ? plane : best)
  return coarsest.slices.spacing > CUBE_TOLERANCE * Math.max(coarsest.rows.spacing, coarsest.columns.spacing) ? coarsest.axis : 'axial'
}

/** All slices of an image volume, 8-bit and square, in the order of the stack. */
export function cutImages (volume: Volume, stack: Stack, options: NormaliseOptions): Uint8Array[] {
  const { slope, intercept } = volume.header
  const show = brightness({ stored: volume.voxels, slope, intercept }, options)
  const { rows, columns } = stack.cut
  return cutWith(volume, stack, show).map((data) =>
    resizeImage({ data, height: rows.count, width: columns.count, channels: 1 }, stack.height, stack.width)
  )
}

/** All slices of a label volume, square, in the order of the stack. @throws InputError for values that are not whole numbers 0..255 */
export function cutLabels (volume: Volume, stack: Stack): Uint8Array[] {
  const { slope, intercept } = volume.header
  const label = (stored: number): number => {
    const value = Math.round(stored * slope + intercept)
    if (!(value >= 0 && value <= 255 && Math.abs(stored * slope + intercept - value) < 1e-3)) {
      throw new InputError('the mask holds values that are not labels (whole numbers 0 to 255)')
    }
    return value
  }
  const { rows, columns } = stack.cut
  return cutWith(volume, stack, label).map((data) =>
    resizeLabels(data, { height: rows.count, width: columns.count }, stack.height, stack.width)
  )
}

/** Puts label slices back where they were cut from: one byte per voxel in the volume's own order. */
export function joinLabels (masks: readonly Uint8Array[], { cut, height, width }: Stack): Uint8Array<ArrayBuffer> {
  const { slices, rows, columns } = cut
  const voxels = new Uint8Array(slices.count * rows.count * columns.count)
  const blank = new Uint8Array(height * width)
  masks.forEach((mask, k) => {
    // Of a long volume a prompt marks one slice: the others cost nothing.
    if (Buffer.compare(mask, blank) === 0) return
    const labels = resizeLabels(mask, { height, width }, rows.count, columns.count)
    visit(cut, k, (voxel, pixel) => { voxels[voxel] = labels[pixel]! })
  })
  return voxels
}

/** Which slice, row and column of the stack a voxel (i, j, k) of the volume is in; beyond the volume they are beyond the stack. */
export function placeInCut (dims: Triple, { slices, rows, columns }: Cut, voxel: Triple): Record<'slice' | 'row' | 'column', number> {
  const along = ({ step, count }: Cut['slices'], taken: readonly number[]): [axis: number, at: number] => {
    // Beside an axis of one voxel, the next has the same stride.
    const axis = [1, dims[0], dims[0] * dims[1]]
      .findIndex((stride, each) => stride === Math.abs(step) && dims[each] === count && !taken.includes(each))
    return [axis, step > 0 ? voxel[axis]! : count - 1 - voxel[axis]!]
  }
  const [k, slice] = along(slices, [])
  const [j, row] = along(rows, [k])
  const [, column] = along(columns, [k, j])
  return { slice, row, column }
}

function cutWith ({ voxels }: Volume, { cut }: Stack, convert: (stored: number) => number): Uint8Array[] {
  return Array.from({ length: cut.slices.count }, (_, k) => {
    const pixels = new Uint8Array(cut.rows.count * cut.columns.count)
    visit(cut, k, (voxel, pixel) => { pixels[pixel] = convert(voxels[voxel]!) })
    return pixels
  })
}

function visit ({ slices, rows, columns }: Cut, k: number, use: (voxel: number, pixel: number) => void): void {
  const start = slices.start + k * slices.step + rows.start + columns.start
  for (let row = 0; row < rows.count; row++) {
    for (let column = 0; column < columns.count; column++) {
      use(start + row * rows.step + column * columns.step, row * columns.count + column)
    }
  }
}
