import { stridesOf, type Padded } from './block.ts'
import { visitDistances } from './distance-transform.ts'
import { percentile } from './percentile.ts'

/** Distances between the border pixels or voxels of truth and prediction, each to the nearest of the other. */
export interface BorderDistances {
  readonly truth: readonly number[]
  readonly prediction: readonly number[]
}

/** Infinity where the other mask is empty. */
export function borderDistances (block: Padded | undefined, spacing: readonly number[]): BorderDistances {
  if (block == null) return { truth: [], prediction: [] }
  const { shape } = block
  const [truth, prediction] = [borderOf(block.truth, shape), borderOf(block.prediction, shape)]
  const between = (from: Uint8Array, to: Uint8Array): number[] => {
    const distances: number[] = []
    visitDistances(to, shape, spacing, (squared, begin) => {
      for (let i = 0; i < squared.length; i++) if (from[begin + i] === 1) distances.push(Math.sqrt(squared[i]!))
    })
    return distances
  }
  return { truth: between(truth, prediction), prediction: between(prediction, truth) }
}

/** 1 for what is marked and has a neighbour across one of its faces that is not. */
function borderOf (mask: Uint8Array, shape: readonly number[]): Uint8Array {
  const strides = stridesOf(shape)
  const border = new Uint8Array(mask.length)
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue
    for (const stride of strides) {
      if (mask[i - stride] === 0 || mask[i + stride] === 0) border[i] = 1
    }
  }
  return border
}

/** The greater of both directions' 95th percentiles; Infinity where one mask is empty, NaN where both are. */
export function borderHausdorff95 ({ truth, prediction }: BorderDistances): number {
  if (truth.length === 0 || prediction.length === 0) return truth.length === prediction.length ? NaN : Infinity
  return Math.max(percentile(truth, 0.95), percentile(prediction, 0.95))
}
