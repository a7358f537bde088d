import * as tf from '@tensorflow/tfjs-core'

/** Keeps a logarithm finite. */
const LEAST = 1e-7

/**
 * Mean over views and pixels of KL(p̄ ‖ p_k), Bernoulli, where p̄ is the mean of the views' probabilities; logits [views·B,C,H,W],
 * all of the first view first. Zero, with zero gradient, where the views agree.
 */
export function consistencyLoss (logits: tf.Tensor, views: number): tf.Scalar {
  const [all = 0] = logits.shape
  const z = tf.reshape(logits, [views, all / views, -1])
  const mean = tf.clipByValue(tf.mean(tf.sigmoid(z), 0, true), LEAST, 1 - LEAST)
  // KL = p̄·log p̄ + (1 − p̄)·log(1 − p̄) − p̄·z + softplus(z), since log p = z − softplus(z)
  // and log(1 − p) = −softplus(z).
  const entropy = tf.add(tf.mul(mean, tf.log(mean)), tf.mul(tf.sub(1, mean), tf.log(tf.sub(1, mean))))
  const kl = tf.add(tf.sub(entropy, tf.mul(mean, z)), tf.softplus(z))
  return tf.mean(tf.mean(tf.reshape(kl, [all, -1]), 1))
}
