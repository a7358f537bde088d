import { cropped, type Block } from './block.ts'
import { squaredDistances } from './distance-transform.ts'
import { surfaceByCode } from './surface-table.ts'

/** Surface elements of one mask: how large each is, and how far from the other mask's surface, Infinity where that has none. */
export interface Elements {
  readonly distances: Float64Array
  readonly areas: Float64Array
}

export interface Surfaces {
  readonly truth: Elements
  readonly prediction: Elements
}

const NONE: Elements = { distances: new Float64Array(), areas: new Float64Array() }

/**
 * Surface elements lie at the corners of voxels, with an area by their neighbourhood, so that no figure depends on how finely a surface
 * is sampled (docs/metrics.md#surfaces); with two axes they are pieces of a contour.
 */
export function surfacesOf (block: Block, spacing: readonly number[]): Surfaces {
  const box = cropped(block)
  if (box == null) return { truth: NONE, prediction: NONE }
  const shape = box.shape.map((side) => side + 1)
  const byCode = surfaceByCode(spacing)
  const codes = { truth: codesOf(box.truth, box.shape), prediction: codesOf(box.prediction, box.shape) }
  const borders = {
    truth: codes.truth.map((code) => isBorder(code, byCode.length)),
    prediction: codes.prediction.map((code) => isBorder(code, byCode.length))
  }
  const elements = (own: keyof Surfaces, other: keyof Surfaces): Elements => {
    const squared = squaredDistances(borders[other], shape, spacing)
    const areas: number[] = []
    const distances: number[] = []
    borders[own].forEach((border, i) => {
      if (border === 0) return
      areas.push(byCode[codes[own][i]!]!)
      distances.push(Math.sqrt(squared[i]!))
    })
    return { areas: Float64Array.from(areas), distances: Float64Array.from(distances) }
  }
  return { truth: elements('truth', 'prediction'), prediction: elements('prediction', 'truth') }
}

function isBorder (code: number, codes: number): number {
  return code !== 0 && code !== codes - 1 ? 1 : 0
}

/** At each corner of the grid, which of the voxels around it are marked. */
function codesOf (mask: Uint8Array, shape: readonly number[]): Uint8Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * (side + 1), 1))
  const corners = Array.from({ length: 2 ** shape.length }, (_, bit) =>
    strides.reduce((at, stride, axis) => at + (bit >> (shape.length - 1 - axis) & 1) * stride, 0))
  const codes = new Uint8Array(shape.reduce((product, side) => product * (side + 1), 1))
  mask.forEach((marked, i) => {
    if (marked === 0) return
    let rest = i
    let at = 0
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += rest % shape[axis]! * strides[axis]!
      rest = Math.floor(rest / shape[axis]!)
    }
    corners.forEach((corner, bit) => { codes[at + corner] = codes[at + corner]! | 1 << bit })
  })
  return codes
}

/** The surfaces of several planes or volumes as those of one. */
export function pooled (surfaces: readonly Surfaces[]): Surfaces {
  const join = (side: keyof Surfaces): Elements => ({
    distances: Float64Array.from(surfaces.flatMap((each) => [...each[side].distances])),
    areas: Float64Array.from(surfaces.flatMap((each) => [...each[side].areas]))
  })
  return surfaces.length === 1 ? surfaces[0]! : { truth: join('truth'), prediction: join('prediction') }
}

/** Share of both surfaces within `tolerance` of the other (normalised surface distance, surface Dice); NaN where both are empty. */
export function surfaceDice ({ truth, prediction }: Surfaces, tolerance: number): number {
  const near = ({ areas, distances }: Elements): number =>
    areas.reduce((total, area, i) => total + (distances[i]! <= tolerance ? area : 0), 0)
  return (near(truth) + near(prediction)) / (sum(truth.areas) + sum(prediction.areas))
}

/** The greater of both directions' distances that 95 % of a surface do not exceed; Infinity where one is empty, NaN where both are. */
export function surfaceHausdorff95 ({ truth, prediction }: Surfaces): number {
  const [hasTruth, hasPrediction] = [truth.areas.length > 0, prediction.areas.length > 0]
  if (!hasTruth || !hasPrediction) return hasTruth || hasPrediction ? Infinity : NaN
  return Math.max(weightedPercentile(truth, 0.95), weightedPercentile(prediction, 0.95))
}

function weightedPercentile ({ distances, areas }: Elements, share: number): number {
  const order = Uint32Array.from(areas.keys()).sort((a, b) => distances[a]! - distances[b]! || areas[a]! - areas[b]!)
  const total = sum(areas)
  let reached = 0
  const found = order.find((i) => {
    reached += areas[i]!
    return reached / total >= share
  })
  return distances[found ?? order.at(-1)!]!
}

function sum (values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
