import { cropped, type Block, type LabelMap } from './block.ts'
import { borderDistances, borderHausdorff95, type BorderDistances } from './border.ts'
import { pooled, surfaceDice, surfaceHausdorff95, surfacesOf } from './surface.ts'

/** mm where the file says how large a voxel is, else pixels. */
export type Unit = 'mm' | 'px'

/** One slice or picture: labels, row-major. */
export interface Plane {
  readonly height: number
  readonly width: number
  readonly truth: LabelMap
  readonly prediction: LabelMap
}

/**
 * What is scored as one: the slices of a volume in order, or the pictures of a patient, of which nobody knows how far they lie apart.
 * `spacing` in mm: between slices, rows and columns.
 */
export interface Case {
  readonly planes: readonly Plane[]
  readonly spacing?: readonly [number, number, number]
}

/** What is scored by itself: one label, or everything above 0. */
export interface ScoredClass {
  readonly name: string
  readonly label?: number
}

/** Today's federations know one class. */
export const FOREGROUND: ScoredClass = { name: 'foreground' }

/** How one case scores in one class (docs/metrics.md); volumes in ml, in pixels where the unit is px. */
export interface CaseScore {
  readonly unit: Unit
  /** NaN where truth and prediction are empty, like `nsd` and both distances */
  readonly dice: number
  readonly nsd: number
  /** between surfaces; Infinity where one of both is empty */
  readonly hd95: number
  /** between the centres of border voxels, as MONAI measures */
  readonly hd95Voxels: number
  readonly truthVolume: number
  readonly predictedVolume: number
  /** the predicted volume where the truth is empty, else NaN */
  readonly falsePositiveVolume: number
  /** the diagonal of what was scored: no distance is greater */
  readonly diagonal: number
}

/** Scores a case in one class; `tolerance` of NSD in the case's unit. @throws RangeError where slices of a volume differ in size */
export function scoreCase ({ planes, spacing }: Case, { label }: ScoredClass, tolerance: number): CaseScore {
  const blocks = spacing == null ? planes.map((plane) => flat(blockOf([plane], label))) : [blockOf(planes, label)]
  const steps = (block: Block): readonly number[] => spacing ?? block.shape.map(() => 1)
  const counts = countAll(blocks)
  const boxes = blocks.map((block) => ({ box: cropped(block), steps: steps(block) }))
  const surfaces = pooled(boxes.map((each) => surfacesOf(each.box, each.steps)))
  const borders = boxes.map((each) => borderDistances(each.box, each.steps))
  const size = spacing == null ? 1 : spacing[0] * spacing[1] * spacing[2] / 1000
  return {
    unit: spacing == null ? 'px' : 'mm',
    dice: 2 * counts.both / (counts.truth + counts.prediction),
    nsd: surfaceDice(surfaces, tolerance),
    hd95: surfaceHausdorff95(surfaces),
    hd95Voxels: borderHausdorff95(pooledBorders(borders)),
    truthVolume: counts.truth * size,
    predictedVolume: counts.prediction * size,
    falsePositiveVolume: counts.truth === 0 ? counts.prediction * size : NaN,
    diagonal: Math.max(...blocks.map((block) => Math.hypot(...block.shape.map((side, axis) => side * steps(block)[axis]!))))
  }
}

/** A picture has two axes: its foreground has a contour, not a surface above and below. */
function flat ({ shape, ...masks }: Block): Block {
  return { shape: shape.slice(1), ...masks }
}

/** Where the class is, 1. */
function blockOf (planes: readonly Plane[], label: number | undefined): Block {
  const [{ height, width }, ...others] = planes as [Plane, ...Plane[]]
  if (others.some((plane) => plane.height !== height || plane.width !== width)) throw new RangeError('slices of a volume differ in size')
  const side = (which: 'truth' | 'prediction'): Uint8Array => {
    const out = new Uint8Array(planes.length * height * width)
    planes.forEach((plane, k) => {
      for (let i = 0; i < height * width; i++) {
        const found = plane[which][i]!
        if (label == null ? found > 0 : found === label) out[k * height * width + i] = 1
      }
    })
    return out
  }
  return { shape: [planes.length, height, width], truth: side('truth'), prediction: side('prediction') }
}

function countAll (blocks: readonly Block[]): { truth: number, prediction: number, both: number } {
  const counts = { truth: 0, prediction: 0, both: 0 }
  for (const { truth, prediction } of blocks) {
    for (let i = 0; i < truth.length; i++) {
      counts.truth += truth[i]!
      counts.prediction += prediction[i]!
      counts.both += truth[i]! & prediction[i]!
    }
  }
  return counts
}

function pooledBorders (borders: readonly BorderDistances[]): BorderDistances {
  return { truth: borders.flatMap(({ truth }) => truth), prediction: borders.flatMap(({ prediction }) => prediction) }
}
