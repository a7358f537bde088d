import { join } from 'node:path'
import { planCut, type Cut } from '../../src/dataset/transforms/orientation.ts'
import { resizeImage, resizeLabels } from '../../src/dataset/transforms/resize.ts'
import { cutImages, cutLabels } from '../../src/dataset/transforms/slicing.ts'
import type { Axis } from '../../src/dataset/types.ts'
import type { Affine, Triple } from '../../src/formats/nifti-header.ts'
import { readNifti, type Volume } from '../../src/formats/nifti.ts'

/** The head (T1, 8-bit) and the label maps of brain and deep grey matter, on one grid of 1 mm. */
export interface Source {
  readonly head: Volume
  readonly brain: Volume
  readonly deepGrey: Volume
}

/** A stack of slices at 1.5 mm per pixel in radiological convention; rows run down, columns to the right of the picture. */
export interface Stack {
  readonly height: number
  readonly width: number
  /** position of each slice in the source, in mm from its first one */
  readonly positions: readonly number[]
  /** height·width brightness 0..255 per slice */
  readonly images: readonly Uint8Array[]
  readonly masks: readonly Uint8Array[]
  /** the deep grey matter, caudate, putamen, pallidum and thalamus */
  readonly deepGrey: readonly Uint8Array[]
  /** world coordinates of (column, row, slice) */
  readonly affine: Affine
}

/** Even sizes, so that two pixels of 1.5 mm take the place of three of 1 mm without a remainder. */
const CROP: Triple = [180, 216, 180]
const SHRINK = 1.5
/** Slices with less brain than this (mm²) hold a tip of it that no one would outline. */
const MIN_AREA = 500

/** Reads `t1.nii.gz`, `brain.nii.gz` and `deep-grey.nii.gz` of a folder. @throws InputError when one cannot be read */
export async function readSource (folder: string): Promise<Source> {
  return {
    head: crop(await readNifti(join(folder, 't1.nii.gz'))),
    brain: crop(await readNifti(join(folder, 'brain.nii.gz'))),
    deepGrey: crop(await readNifti(join(folder, 'deep-grey.nii.gz')))
  }
}

function crop ({ header, voxels }: Volume): Volume {
  const [width, height, depth] = CROP
  const [fullWidth, fullHeight] = header.dims
  const kept = new Uint8Array(width * height * depth)
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      const from = (k * fullHeight + j) * fullWidth
      kept.set(voxels.subarray(from, from + width), (k * height + j) * width)
    }
  }
  return { header: { ...header, dims: CROP }, voxels: kept }
}

/** Every `step`-th slice with brain in it along an axis, the first `offset` mm above the lowest. */
export function takeStack ({ head, brain, deepGrey }: Source, axis: Axis, step: number, offset: number): Stack {
  const { affine, dims } = head.header
  const cut = planCut(affine, dims, axis)
  const [rows, columns] = [cut.rows.count, cut.columns.count]
  const full = { cut, height: rows, width: columns }
  const [images, masks, deep] = [cutImages(head, full, {}), cutLabels(brain, full), cutLabels(deepGrey, full)]
  const used = masks.flatMap((mask, at) => area(mask) >= MIN_AREA ? [at] : [])
  const positions = used.filter((at) => (at - used[0]! - offset) >= 0 && (at - used[0]! - offset) % step === 0)
  const [height, width] = [rows / SHRINK, columns / SHRINK]
  const shrunk = (labels: readonly Uint8Array[]): Uint8Array[] =>
    positions.map((at) => resizeLabels(labels[at]!, { height: rows, width: columns }, height, width))
  return {
    height,
    width,
    positions,
    images: positions.map((at) => resizeImage({ height: rows, width: columns, channels: 1, data: images[at]! }, height, width)),
    masks: shrunk(masks),
    deepGrey: shrunk(deep),
    affine: stackAffine(affine, dims, cut, positions[0]!, step)
  }
}

function area (mask: Uint8Array): number {
  return mask.reduce((sum, label) => sum + (label > 0 ? 1 : 0), 0)
}

/** Where (column, row, slice) of the shrunk stack lie; the first shrunk pixel is centred a quarter of a source pixel in. */
function stackAffine (affine: Affine, dims: Triple, cut: Cut, first: number, step: number): Affine {
  const world = (slice: number, row: number, column: number): number[] => {
    const at = (walk: Cut['rows'], index: number): number[] =>
      unravel(walk.start, dims).map((start, axis) => start + index * Math.sign(walk.step) * unravel(Math.abs(walk.step), dims)[axis]!)
    const voxel = [at(cut.slices, slice), at(cut.rows, row), at(cut.columns, column)].reduce((a, b) =>
      a.map((value, axis) => value + b[axis]!)
    )
    return affine.map((line) => line[0] * voxel[0]! + line[1] * voxel[1]! + line[2] * voxel[2]! + line[3])
  }
  const inset = (SHRINK - 1) / 2
  const origin = world(first, inset, inset)
  const along = [world(first, inset, inset + SHRINK), world(first, inset + SHRINK, inset), world(first + step, inset, inset)]
  const line = (axis: number): [number, number, number, number] => {
    const [i, j, k] = along.map((end) => end[axis]! - origin[axis]!)
    return [i!, j!, k!, origin[axis]!]
  }
  return [line(0), line(1), line(2)]
}

function unravel (at: number, dims: Triple): Triple {
  return [at % dims[0], Math.floor(at / dims[0]) % dims[1], Math.floor(at / (dims[0] * dims[1]))]
}
