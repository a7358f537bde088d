import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import type { GlobalParameter } from '../parameters/groups.ts'
import { asRows, linear } from './common.ts'

/** Comes after all names of the adapter: what the seed makes of those is as without it. A schema refuses `own.` before it. */
export const DISCRIMINATOR = 'site_discriminator'
const LAYERS = 3
const NARROWING = [2, 4]
/** Of the leaky ReLU below 0. */
const LEAK = 0.2

/** The parameters of d → d/2 → d/4 → 1, tensors [out, in] and [out] by layer; they learn at this rate. */
export function discriminatorParameters (width: number, rate: number): GlobalParameter[] {
  const sides = [width, ...NARROWING.map((each) => width / each), 1]
  return Array.from({ length: LAYERS }, (_, layer): GlobalParameter[] => {
    const [into, out] = [sides[layer]!, sides[layer + 1]!]
    const part = (name: string, shape: readonly number[], start: 'seeded' | 'zero'): GlobalParameter =>
      ({ name: `${DISCRIMINATOR}.${layer}.${name}`, shape, role: 'encoder', rate, decays: false, start })
    return [part('bias', [out], 'zero'), part('weight', [out, into], 'seeded')]
  }).flat()
}

/** Whether each token is another model's: features [..., d] → logits [tokens, 1] (docs/spec/alignment.md#discriminator). */
export function discriminate (features: tf.Tensor, weights: TensorRecord): tf.Tensor {
  let x: tf.Tensor = asRows(features)
  for (let layer = 0; layer < LAYERS; layer++) {
    x = linear(x, weights, `${DISCRIMINATOR}.${layer}`)
    if (layer < LAYERS - 1) x = tf.maximum(x, tf.mul(x, LEAK))
  }
  return x
}
