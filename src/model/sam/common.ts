import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
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

/** x [..., in] · Wᵀ + b with W [out, in]; `prefix.bias` may be absent. */
export function linear (x: tf.Tensor, weights: TensorRecord, prefix: string): tf.Tensor {
  const kernel = weight(weights, `${prefix}.weight`)
  const bias = weights[`${prefix}.bias`]
  const [out, into] = [kernel.shape[0], kernel.size / kernel.shape[0]]
  const y = tf.matMul(asRows(x), tf.reshape(kernel, [out, into]), false, true)
  return tf.reshape(bias == null ? y : tf.add(y, bias), [...x.shape.slice(0, -1), out])
}

/** Normalises the last axis (biased variance), then scales and shifts by `prefix.weight`, `prefix.bias`. */
export function layerNorm (x: tf.Tensor, weights: TensorRecord, prefix: string, epsilon: number): tf.Tensor {
  const normalised = tf.reshape(normalise(epsilon)(asRows(x)), x.shape)
  return tf.add(tf.mul(normalised, weight(weights, `${prefix}.weight`)), weight(weights, `${prefix}.bias`))
}

/** Its own gradient: a third of the operations that the composition would leave on the tape. */
function normalise (epsilon: number): (x: tf.Tensor) => tf.Tensor {
  return tf.customGrad((input, save) => {
    const x = input as tf.Tensor
    const centred = tf.sub(x, tf.mean(x, -1, true))
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon))
    const value = tf.mul(centred, scale);
    (save as tf.GradSaveFunc)([value, scale])
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [y, s] = saved as [tf.Tensor, tf.Tensor]
        const along = tf.mul(y, tf.mean(tf.mul(dy, y), -1, true))
        return tf.mul(s, tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), along))
      }
    }
  })
}

/** GELU in its erf form: x·Φ(x). */
export const gelu: (x: tf.Tensor) => tf.Tensor = tf.customGrad((input, save) => {
  const x = input as tf.Tensor
  const phi = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
  (save as tf.GradSaveFunc)([x, phi])
  return {
    value: tf.mul(x, phi),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [z, cdf] = saved as [tf.Tensor, tf.Tensor]
      const density = tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return tf.mul(dy, tf.add(cdf, tf.mul(z, density)))
    }
  }
})

/** Multi-layer perceptron `prefix.layers.0…n` with ReLU between the layers. */
export function reluMlp (x: tf.Tensor, weights: TensorRecord, prefix: string, layers: number): tf.Tensor {
  let y = x
  for (let l = 0; l < layers; l++) {
    y = linear(y, weights, `${prefix}.layers.${l}`)
    if (l < layers - 1) y = tf.relu(y)
  }
  return y
}
