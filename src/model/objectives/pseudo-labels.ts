import * as tf from '@tensorflow/tfjs-core'

const DICE_EPSILON = 1e-5
/** Far below one cell. */
const LEAST = 1e-6

/** Of Bernoulli answers, in nats, from logits: 0 to ln 2. */
export function entropy (logits: tf.Tensor): tf.Tensor {
  return tf.sub(tf.softplus(logits), tf.mul(logits, tf.sigmoid(logits)))
}

/** What teachers say, and where it counts: 0 or 1, in the shape of their logits. */
export interface PseudoLabels {
  readonly targets: tf.Tensor
  readonly kept: tf.Tensor
}

/** Of teachers together: the side on which their mean answer is; it counts where their mean entropy is at most `threshold` nats. */
export function pseudoLabels (teachers: readonly tf.Tensor[], threshold: tf.Tensor): PseudoLabels {
  const mean = (all: tf.Tensor[]): tf.Tensor => tf.div(tf.addN(all), all.length)
  const answer = mean(teachers.map((each) => tf.sigmoid(each)))
  const unsure = mean(teachers.map(entropy))
  return { targets: tf.cast(tf.greaterEqual(answer, 0.5), 'float32'), kept: tf.cast(tf.lessEqual(unsure, threshold), 'float32') }
}

/**
 * Mean over all cells of kept·BCE, plus the mean of 1 − Dice over what is kept of the images and classes that show anything there
 * (FedSemiDG, arXiv 2501.07378); logits [n,C,…]. 0, with zero gradient, where nothing is kept.
 */
export function pseudoLoss (logits: tf.Tensor, { targets, kept }: PseudoLabels): tf.Scalar {
  const [images = 0, classes = 0] = logits.shape
  const rows = (each: tf.Tensor): tf.Tensor => tf.reshape(each, [images * classes, -1])
  const [z, y, k] = [rows(logits), rows(targets), rows(kept)]
  const bce = tf.mean(tf.mean(tf.mul(k, tf.sub(tf.softplus(z), tf.mul(z, y))), 1))
  const p = tf.sigmoid(z)
  const shows = tf.sum(tf.mul(k, y), 1)
  const both = tf.add(tf.mul(tf.sum(tf.mul(k, tf.mul(p, y)), 1), 2), DICE_EPSILON)
  const either = tf.add(tf.add(tf.sum(tf.mul(k, tf.square(p)), 1), shows), DICE_EPSILON)
  const counted = tf.minimum(tf.div(shows, LEAST), 1)
  const dice = tf.div(tf.sum(tf.mul(counted, tf.sub(1, tf.div(both, either)))), tf.maximum(tf.sum(counted), 1))
  return tf.add(bce, dice)
}

/** Mean over cells of KL(before ‖ after), Bernoulli, in nats, of each image; logits [B,C,…]. At least 0. */
export function answersMoved (before: tf.Tensor, after: tf.Tensor): tf.Tensor {
  const kl = tf.add(tf.sub(tf.softplus(after), tf.softplus(before)), tf.mul(tf.sigmoid(before), tf.sub(before, after)))
  return tf.relu(tf.mean(tf.reshape(kl, [before.shape[0], -1]), 1))
}
