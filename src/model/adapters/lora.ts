import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { asRows, linear, weight } from '../sam/common.ts'

/** linear() plus scale·B·A·x where the record holds `prefix.lora_A` [r, in] and `prefix.lora_B` [out, r]. */
export function loraLinear (x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number): tf.Tensor {
  const y = linear(x, weights, prefix)
  const a = weights[`${prefix}.lora_A`]
  if (a == null) return y
  const low = tf.matMul(asRows(x), a, false, true)
  const b = tf.mul(weight(weights, `${prefix}.lora_B`), scale)
  return tf.add(y, tf.reshape(tf.matMul(low, b, false, true), y.shape))
}

/** The q, k, v projection [..., 3D] with low-rank updates of q and v, as two thin products over all of it. */
export function loraQkv (x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number): tf.Tensor {
  const y = linear(x, weights, prefix)
  const a = weights[`${prefix}.lora_A_q`]
  if (a == null) return y
  const low = tf.matMul(asRows(x), tf.concat([a, weight(weights, `${prefix}.lora_A_v`)], 0), false, true)
  return tf.add(y, tf.reshape(tf.matMul(low, spread(weights, prefix, scale)), y.shape))
}

/** [2r, 3D]: Bqᵀ in the columns of q, Bvᵀ in those of v, nothing for k. */
function spread (weights: TensorRecord, prefix: string, scale: number): tf.Tensor2D {
  const [bq, bv] = ['q', 'v'].map((part) => tf.transpose(tf.mul(weight(weights, `${prefix}.lora_B_${part}`), scale)))
  const dim = bq!.shape[1]!
  return tf.concat([tf.pad(bq!, [[0, 0], [0, 2 * dim]]), tf.pad(bv!, [[0, 0], [2 * dim, 0]])], 0) as tf.Tensor2D
}
