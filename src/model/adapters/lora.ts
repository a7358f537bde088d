import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { affine, asRows, weight } from '../sam/common.ts'

interface Projection {
  /** W [out, in] and its bias [out]. */
  readonly kernel: tf.Tensor
  readonly bias: tf.Tensor | undefined
  /** Names of A [r, in] and B [out, r]. */
  readonly a: string
  readonly b: string
}

/** x · Wᵀ + bias plus scale·B·A·x where the record holds B. The low-rank part goes in as the product's bias: no pass of its own adds it. */
function project (x: tf.Tensor, weights: TensorRecord, { kernel, bias, a, b }: Projection, scale: number): tf.Tensor {
  const factor = weights[b]
  if (factor == null) return affine(x, kernel, bias)
  const low = tf.matMul(asRows(x), weight(weights, a), false, true)
  return affine(x, kernel, affine(low, tf.mul(factor, scale), bias))
}

/** linear() plus the low-rank update where the record holds `prefix.lora_A` and `prefix.lora_B`. */
export function loraLinear (x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number): tf.Tensor {
  return project(x, weights, { kernel: weight(weights, `${prefix}.weight`), bias: weights[`${prefix}.bias`], a: `${prefix}.lora_A`, b: `${prefix}.lora_B` }, scale)
}

/**
 * q, k and v [..., D] of the joint projection [3D, D]; q and v with low-rank updates where the record holds them. q is multiplied by
 * `queryScale`, in its weights: where those are frozen that costs nothing.
 */
export function loraQkv (x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number, queryScale: number): [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor] {
  const kernels = tf.split(weight(weights, `${prefix}.weight`), 3)
  const biases = tf.split(weight(weights, `${prefix}.bias`), 3)
  const part = (index: number, name: string, factor = 1): tf.Tensor => {
    const [kernel, bias] = [kernels[index]!, biases[index]!].map((tensor) => factor === 1 ? tensor : tf.mul(tensor, factor)) as [tf.Tensor, tf.Tensor]
    return project(x, weights, { kernel, bias, a: `${prefix}.lora_A_${name}`, b: `${prefix}.lora_B_${name}` }, scale * factor)
  }
  return [part(0, 'q', queryScale), part(1, 'k'), part(2, 'v')]
}
