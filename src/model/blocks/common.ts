import * as tf from '@tensorflow/tfjs-core'
import { layerNorm as normalise, type TensorRecord } from '../../compute/index.ts'
import { SchemaError } from '../../errors.ts'

/** A tensor by name. @throws SchemaError when the record lacks it. */
export function weight (weights: TensorRecord, name: string): tf.Tensor {
  const tensor = weights[name]
  if (tensor == null) throw new SchemaError(`the model needs the tensor ${name}, which it was not given`)
  return tensor
}

/** [..., n] as [rows, n]: one matrix product for all leading axes. */
export function asRows (x: tf.Tensor): tf.Tensor2D {
  const width = x.shape.at(-1)!
  return tf.reshape(x, [x.size / width, width])
}

/** a · bᵀ + bias in one kernel; in two on wasm, whose kernel adds the bias to the wrong elements where b is transposed (tfjs 4.22). */
function product (a: tf.Tensor2D, b: tf.Tensor2D, bias: tf.Tensor | undefined): tf.Tensor {
  if (bias == null) return tf.matMul(a, b, false, true)
  if (tf.getBackend() === 'wasm') return tf.add(tf.matMul(a, b, false, true), bias)
  return tf.fused.matMul({ a, b, transposeB: true, bias })
}

/** x [..., in] · Wᵀ + b with W [out, in] (trailing ones allowed), b [out] or a row of its own for each row of x. */
export function affine (x: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const out = kernel.shape[0]
  const b = tf.reshape<tf.Rank.R2>(kernel, [out, kernel.size / out])
  return tf.reshape(product(asRows(x), b, bias), [...x.shape.slice(0, -1), out])
}

/** affine() with `prefix.weight` and, if there is one, `prefix.bias`. */
export function linear (x: tf.Tensor, weights: TensorRecord, prefix: string): tf.Tensor {
  return affine(x, weight(weights, `${prefix}.weight`), weights[`${prefix}.bias`])
}

/** Normalises the last axis (biased variance), then scales and shifts by `prefix.weight`, `prefix.bias`. */
export function layerNorm (x: tf.Tensor, weights: TensorRecord, prefix: string, epsilon: number): tf.Tensor {
  return normalise(x, weight(weights, `${prefix}.weight`), weight(weights, `${prefix}.bias`), epsilon)
}

/** Multi-layer perceptron `prefix.layers.0…n` with ReLU between the layers. */
export function reluMlp (x: tf.Tensor, weights: TensorRecord, prefix: string, layers: number): tf.Tensor {
  let y = x
  for (let l = 0; l < layers; l++) {
    y = linear(y, weights, `${prefix}.layers.${l}`)
    if (l < layers - 1) y = tf.relu(y)
  }
  return y
}
