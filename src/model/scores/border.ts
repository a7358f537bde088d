import { cropped, type Block } from './block.ts'
import { squaredDistances } from './distance-transform.ts'
import { percentile } from './percentile.ts'

/** Distances between the border pixels or voxels of truth and prediction, each to the nearest of the other. */
export interface BorderDistances {
  readonly truth: readonly number[]
  readonly prediction: readonly number[]
}

/** Infinity where the other mask is empty. */
export function borderDistances (block: Block, spacing: readonly number[]): BorderDistances {
  const box = cropped(block)
  if (box == null) return { truth: [], prediction: [] }
  const { shape } = box
  const [truth, prediction] = [borderOf(box.truth, shape), borderOf(box.prediction, shape)]
  const between = (from: Uint8Array, to: Uint8Array): number[] => {
    const distances: number[] = []
    squaredDistances(to, shape, spacing).forEach((squared, i) => { if (from[i] === 1) distances.push(Math.sqrt(squared)) })
    return distances
  }
  return { truth: between(truth, prediction), prediction: between(prediction, truth) }
}

/** 1 for what is marked and has a neighbour across one of its faces that is not, or lies outside. */
function borderOf (mask: Uint8Array, shape: readonly number[]): Uint8Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1))
  return mask.map((marked, i) => {
    if (marked === 0) return 0
    return strides.some((stride, axis) => {
      const at = Math.floor(i / stride) % shape[axis]!
      return at === 0 || at === shape[axis]! - 1 || mask[i - stride] === 0 || mask[i + stride] === 0
    })
      ? 1
      : 0
  })
}

/** The greater of both directions' 95th percentiles; Infinity where one mask is empty, NaN where both are. */
export function borderHausdorff95 ({ truth, prediction }: BorderDistances): number {
  if (truth.length === 0 || prediction.length === 0) return truth.length === prediction.length ? NaN : Infinity
  return Math.max(percentile(truth, 0.95), percentile(prediction, 0.95))
}
