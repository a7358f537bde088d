import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { affine, asRows, linear, weight } from '../sam/common.ts'

/** y [..., out] plus scale·B·A·x, with A [r, in] and B [out, r]; y as it is where there is no B. */
function addLowRank (y: tf.Tensor, x: tf.Tensor, weights: TensorRecord, names: { readonly a: string, readonly b: string }, scale: number): tf.Tensor {
  const factor = weights[names.b]
  if (factor == null) return y
  const low = tf.matMul(asRows(x), weight(weights, names.a), false, true)
  const b = tf.mul<tf.Tensor2D>(factor, scale)
  return tf.add(y, tf.reshape(tf.matMul(low, b, false, true), y.shape))
}

/** linear() plus the low-rank update where the record holds `prefix.lora_A` and `prefix.lora_B`. */
export function loraLinear (x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number): tf.Tensor {
  return addLowRank(linear(x, weights, prefix), x, weights, { a: `${prefix}.lora_A`, b: `${prefix}.lora_B` }, scale)
}

/** q, k and v [..., D] of the joint projection [3D, D]; q and v with low-rank updates where the record holds them. */
export function loraQkv (x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number): [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor] {
  const kernels = tf.split(weight(weights, `${prefix}.weight`), 3)
  const biases = tf.split(weight(weights, `${prefix}.bias`), 3)
  const [q, k, v] = kernels.map((kernel, i) => affine(x, kernel, biases[i])) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const update = (y: tf.Tensor, part: string): tf.Tensor => addLowRank(y, x, weights, { a: `${prefix}.lora_A_${part}`, b: `${prefix}.lora_B_${part}` }, scale)
  return [update(q, 'q'), k, update(v, 'v')]
}
