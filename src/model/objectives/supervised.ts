import * as tf from '@tensorflow/tfjs-core'

const DICE_EPSILON = 1e-5
const BCE_WEIGHT = 0.2
const DICE_WEIGHT = 0.8

/** Mean in two stages: a single float32 sum over a whole batch costs digits. */
function mean (x: tf.Tensor): tf.Scalar {
  return tf.mean(tf.mean(tf.reshape(x, [x.shape[0], -1]), 1))
}

/** mean(softplus(z) − z·y); logits and targets of one shape, [B, …]. */
export function bceLoss (logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return mean(tf.sub(tf.softplus(logits), tf.mul(logits, targets)))
}

/** Mean over items of 1 − (2Σpy + ε)/(Σp² + Σy² + ε); [items, …], one sum per item, so put B·C first (docs/spec/pfedsam.md#losses). */
export function diceLoss (logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  const items = logits.shape[0]
  const p = tf.sigmoid(tf.reshape(logits, [items, -1]))
  const y = tf.reshape(targets, [items, -1])
  const both = tf.add(tf.mul(tf.sum(tf.mul(p, y), 1), 2), DICE_EPSILON)
  const either = tf.add(tf.add(tf.sum(tf.square(p), 1), tf.sum(tf.square(y), 1)), DICE_EPSILON)
  return tf.sub(1, tf.mean(tf.div(both, either)))
}

/** 0.2·BCE + 0.8·Dice. */
export function supervisedLoss (logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.add(tf.mul(bceLoss(logits, targets), BCE_WEIGHT), tf.mul(diceLoss(logits, targets), DICE_WEIGHT))
}
