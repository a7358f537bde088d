import { stridesOf, type Padded } from './block.ts'
import { visitDistances } from './distance-transform.ts'
import { surfaceByCode } from './surface-table.ts'

/** Surface elements of one mask: how large each is, and how far from the other mask's surface, Infinity where that has none. */
interface Elements {
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
export function surfacesOf (block: Padded | undefined, spacing: readonly number[]): Surfaces {
  if (block == null) return { truth: NONE, prediction: NONE }
  const { shape } = block
  const byCode = surfaceByCode(spacing)
  const [truth, prediction] = [codesOf(block.truth, shape), codesOf(block.prediction, shape)]
  const [truthBorder, predictionBorder] = [truth, prediction].map((codes) => bordersIn(codes, byCode.length)) as [Uint8Array, Uint8Array]
  const elements = (codes: Uint8Array, own: Uint8Array, other: Uint8Array): Elements => {
    const count = own.reduce((total, is) => total + is, 0)
    const [areas, distances] = [new Float64Array(count), new Float64Array(count)]
    let at = 0
    visitDistances(other, shape, spacing, (squared, begin) => {
      for (let i = 0; i < squared.length; i++) {
        if (own[begin + i] === 0) continue
        areas[at] = byCode[codes[begin + i]!]!
        distances[at++] = Math.sqrt(squared[i]!)
      }
    })
    return { areas, distances }
  }
  return { truth: elements(truth, truthBorder, predictionBorder), prediction: elements(prediction, predictionBorder, truthBorder) }
}

/** Where some of the voxels around are marked, and some are not. */
function bordersIn (codes: Uint8Array, count: number): Uint8Array {
  return codes.map((code) => code !== 0 && code !== count - 1 ? 1 : 0)
}

/** Which of the voxels around each corner are marked; the corner before a voxel along all axes has that voxel's place. */
function codesOf (mask: Uint8Array, shape: readonly number[]): Uint8Array {
  const strides = stridesOf(shape)
  const corners = Array.from({ length: 2 ** shape.length }, (_, bit) =>
    strides.reduce((at, stride, axis) => at + (bit >> (shape.length - 1 - axis) & 1) * stride, 0))
  const codes = new Uint8Array(mask.length)
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue
    for (let bit = 0; bit < corners.length; bit++) codes[i + corners[bit]!]! |= 1 << bit
  }
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
