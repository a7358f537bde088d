import type { NamedTensor } from '../../../src/adapter/safetensors.ts'
import { normal, seededRandom } from '../../../src/common/random.ts'
import type { SamConfig } from '../../../src/model/sam/build-sam.ts'
import { tensorShapes } from '../../../src/model/sam/tensor-shapes.ts'

type Fill = (shape: readonly number[], draw: () => number) => (index: number) => number

function product (sides: readonly number[]): number {
  return sides.reduce((result, side) => result * side, 1)
}

const constant = (value: number): Fill => () => () => value
const scattered = (deviation: number): Fill => (_, draw) => () => deviation * draw()
/** Keeps the size of activations: linear layers after Glorot, convolutions (no overlap, or few layers) after their inputs. */
const linear: Fill = ([output, input], draw) => () => Math.sqrt(2 / (output! + input!)) * draw()
const convolution: Fill = ([, ...inputs], draw) => () => Math.sqrt(1 / product(inputs)) * draw()
const transposed: Fill = ([input], draw) => () => Math.sqrt(1 / input!) * draw()

/** Sines and cosines of row and column, so that the first steps need not learn where a patch is. */
const position: Fill = ([, , grid, dim]) => (index) => {
  const quarter = dim! / 4
  const channel = index % dim!
  const cell = Math.floor(index / dim!)
  const at = Math.floor(channel / quarter) < 2 ? Math.floor(cell / grid!) : cell % grid!
  const angle = 2 * Math.PI * (at + 0.5) / grid! * 2 ** (channel % quarter / quarter * Math.log2(grid! / 2) - 1)
  return 0.5 * (Math.floor(channel / quarter) % 2 === 0 ? Math.sin(angle) : Math.cos(angle))
}

/** First match decides. */
const RULES: readonly [RegExp, Fill][] = [
  [/\.bias$|rel_pos_[hw]$/, constant(0)],
  [/norm\w*\.weight$|neck\.[13]\.weight$|mask_downscaling\.[14]\.weight$|output_upscaling\.1\.weight$/, constant(1)],
  [/pos_embed$/, position],
  [/gaussian_matrix$/, scattered(1)],
  [/(_tokens?|_embed|point_embeddings\.\d)\.weight$/, scattered(0.5)],
  [/output_upscaling\.[03]\.weight$/, transposed],
  [/patch_embed\.proj\.weight$|neck\.[02]\.weight$|mask_downscaling\.[036]\.weight$/, convolution],
  [/\.weight$/, linear]
]

/** Normal, cut at two deviations. */
function truncatedNormal (unit: () => number): number {
  for (;;) {
    const value = normal(unit)
    if (Math.abs(value) < 2) return value
  }
}

/** Random weights of an untrained model; the same for the same seed. */
export function initialWeights (config: SamConfig, seed: number): Map<string, NamedTensor> {
  const weights = new Map<string, NamedTensor>()
  for (const [name, shape] of tensorShapes(config)) {
    const unit = seededRandom(seed, weights.size)
    const rule = RULES.find(([pattern]) => pattern.test(name))
    const value = rule![1](shape, () => truncatedNormal(unit))
    weights.set(name, { shape, data: Float32Array.from({ length: product(shape) }, (_, i) => value(i)) })
  }
  return weights
}
