import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { affine, asRows, linear, weight } from './common.ts'

/** x · Wᵀ + bias + low · (scale·B)ᵀ with B [out, r]. The low-rank part goes in as the product's bias: no pass of its own adds it. */
function project (
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor | undefined,
  { low, factor, scale }: { low: tf.Tensor, factor: tf.Tensor, scale: number }
): tf.Tensor {
  return affine(x, kernel, affine(low, tf.mul(factor, scale), bias))
}

/** linear() plus scale·B·A·x where the record holds `prefix.lora_A` [r, in] and `prefix.lora_B` [out, r]. */
export function loraLinear (x: tf.Tensor, weights: TensorRecord, prefix: string, scale: number): tf.Tensor {
  const factor = weights[`${prefix}.lora_B`]
  if (factor == null) return linear(x, weights, prefix)
  const low = affine(asRows(x), weight(weights, `${prefix}.lora_A`))
  return project(x, weight(weights, `${prefix}.weight`), weights[`${prefix}.bias`], { low, factor, scale })
}

/**
 * q, k and v [..., D] of the joint projection [3D, D]; q and v with low-rank updates where the record holds them. q is multiplied by
 * `queryScale`, in its weights: where those are frozen that costs nothing.
 */
export function loraQkv (
  x: tf.Tensor,
  weights: TensorRecord,
  prefix: string,
  scale: number,
  queryScale: number
): [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor] {
  const [query, key, value] = tf.split(weight(weights, `${prefix}.weight`), 3) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const [queryBias, keyBias, valueBias] = tf.split(weight(weights, `${prefix}.bias`), 3) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const [scaled, scaledBias] = [tf.mul(query, queryScale), tf.mul(queryBias, queryScale)]
  const k = affine(x, key, keyBias)
  if (weights[`${prefix}.lora_B_q`] == null) return [affine(x, scaled, scaledBias), k, affine(x, value, valueBias)]
  const of = (name: string): tf.Tensor => weight(weights, `${prefix}.lora_${name}`)
  // One product for both: four columns alone keep no core busy.
  const [lowQ, lowV] = tf.split(affine(asRows(x), tf.concat([of('A_q'), of('A_v')])), 2, 1) as [tf.Tensor, tf.Tensor]
  return [
    project(x, scaled, scaledBias, { low: lowQ, factor: of('B_q'), scale: scale * queryScale }),
    k,
    project(x, value, valueBias, { low: lowV, factor: of('B_v'), scale })
  ]
}
