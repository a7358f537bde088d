import * as tf from '@tensorflow/tfjs-core'
import { unit } from './contrast.ts'

/** BYOL's distance of predictions from targets [n,d]: the mean of 2 − 2·cos, 0 for the same directions, 4 for opposite ones. */
export function byolLoss (predictions: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.mean(tf.sub(2, tf.mul(tf.sum(tf.mul(unit(predictions), unit(targets)), 1), 2)))
}

/** Mean over vectors [n,d] of the squared distance to those of the common start; 0 exactly where they are the same. */
export function startLoss (z: tf.Tensor, start: tf.Tensor): tf.Scalar {
  return tf.mean(tf.sum(tf.square(tf.sub(z, start)), 1))
}

/**
 * How far apart unit vectors are: the mean over their dimensions of the standard deviation over images. 0 where all are the same, which
 * is what representations collapse to; NaN of none.
 */
export function spreadOf (vectors: readonly (readonly number[])[]): number {
  const [first = []] = vectors
  const deviations = first.map((_, dimension) => {
    const values = vectors.map((vector) => vector[dimension]!)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  })
  return deviations.reduce((sum, value) => sum + value, 0) / deviations.length
}
