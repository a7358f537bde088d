import * as tf from '@tensorflow/tfjs-core'
import { asRows } from '../blocks/common.ts'

/** Gaussian kernels, each of twice the bandwidth of the one before; the middle one has the mean squared distance. */
const KERNELS = 5
const MIDDLE = Math.floor(KERNELS / 2)
/** Of deviations that are divided by. */
const LEAST_DEVIATION = 1e-3
/** Far below any distance that counts. */
const LEAST = 1e-12

/** x, through which no gradient goes: zeros, exactly. */
export function stopped (x: tf.Tensor): tf.Tensor {
  return tf.customGrad((input) => ({
    value: tf.mul(input as tf.Tensor, 1),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy)
  }))(x)
}

/** Binary cross-entropy of logits against one truth for all of them: mean(softplus(z) − z·y), y 0 or 1. */
export function crossEntropy (logits: tf.Tensor, truth: 0 | 1): tf.Scalar {
  return tf.mean(tf.softplus(truth === 1 ? tf.neg(logits) : logits))
}

/**
 * Maximum mean discrepancy of two samples [n, d], as FedHarmo's authors compute it: the sum over five Gaussian kernels whose bandwidths are
 * constants as to the gradient. 0 where both are the same sample.
 */
export function meanDiscrepancy (one: tf.Tensor, other: tf.Tensor): tf.Scalar {
  const [a, b] = [asRows(one), asRows(other)]
  const all = tf.concat([a, b])
  const [n, count] = [a.shape[0], all.shape[0]]
  const squares = tf.sum(tf.square(all), 1, true)
  const distances = tf.maximum(tf.add(tf.sub(squares, tf.mul(tf.matMul(all, all, false, true), 2)), tf.transpose(squares)), 0)
  const usual = tf.maximum(stopped(tf.div(tf.sum(tf.sum(distances, 1)), count ** 2 - count)), LEAST)
  const kernels = Array.from({ length: KERNELS }, (_, i) => tf.exp(tf.neg(tf.div(distances, tf.mul(usual, 2 ** (i - MIDDLE))))))
  const kernel = tf.addN(kernels)
  const block = (row: number, column: number, [height, width]: readonly [number, number]): tf.Scalar =>
    tf.mean(tf.mean(tf.slice(kernel, [row, column], [height, width]), 1))
  const m = count - n
  return tf.sub(tf.add(block(0, 0, [n, n]), block(n, n, [m, m])), tf.mul(block(0, n, [n, m]), 2))
}

/** Features [B,G,G,d], of which each channel has over B and G the mean and deviation of `moments` [2,d] in place of its own. */
export function withMoments (features: tf.Tensor, moments: tf.Tensor): tf.Tensor {
  const rows = asRows(features)
  const away = tf.sub(rows, tf.mean(rows, 0))
  const deviation = tf.maximum(tf.sqrt(tf.mean(tf.square(away), 0)), LEAST_DEVIATION)
  const [mean, wanted] = tf.split(moments, 2)
  return tf.reshape(tf.add(tf.mul(tf.div(away, deviation), wanted!), mean!), features.shape)
}
