import * as tf from '@tensorflow/tfjs-core'
import { gelu, type TensorRecord } from '../../compute/index.ts'
import { linear } from './common.ts'

/** Weight of the adapter beside the MLP (Medical SAM Adapter, arXiv 2304.12620). */
export const BESIDE_MLP = 0.5

/** y plus `scale` times a bottleneck on x [..., D]: down to D/4, GELU, up; y as it is where the record holds none under `prefix`. */
export function addBottleneck (y: tf.Tensor, x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number): tf.Tensor {
  if (weights[`${prefix}.down.weight`] == null) return y
  const narrow = gelu(linear(x, weights, `${prefix}.down`))
  return tf.add(y, tf.mul(linear(narrow, weights, `${prefix}.up`), scale))
}
