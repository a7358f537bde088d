import * as tf from '@tensorflow/tfjs-core'

const DICE_EPSILON = 1e-5
const BCE_WEIGHT = 0.2
const DICE_WEIGHT = 0.8
/** Far below the smallest share of a cell. */
const LEAST = 1e-6

/** Mean in two stages: a single float32 sum over a whole batch costs digits. */
function mean (x: tf.Tensor): tf.Scalar {
  return tf.mean(tf.mean(tf.reshape(x, [x.shape[0], -1]), 1))
}

/** mean(softplus(z) − z·y); logits and targets of one shape, [B, …]. */
export function bceLoss (logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return mean(tf.sub(tf.softplus(logits), tf.mul(logits, targets)))
}

/** Mean over items of 1 − (2Σpy + ε)/(Σp² + Σy² + ε); [items, …], one sum per item, so put B·C first (docs/spec/pfedsam.md). */
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

/**
 * The same per class over what is known of it: logits, targets and known shares [B,C,…]. A class counts as much as any other. Its
 * cross-entropy is over the images of which it knows anything; its Dice only over those that show it, since Dice without foreground
 * drives a small class to nothing. `overlap`, [B,1], is 0 for images whose Dice does not count.
 */
export function knownLoss (logits: tf.Tensor, { targets, known: knownShares, overlap }: Known): tf.Scalar {
  const [images = 0, classes = 0] = logits.shape
  const rows = (each: tf.Tensor): tf.Tensor => tf.reshape(each, [images, classes, -1])
  const [z, y, w] = [rows(logits), rows(targets), rows(knownShares)]
  const area = tf.sum(w, 2)
  const bce = tf.div(tf.sum(tf.mul(w, tf.sub(tf.softplus(z), tf.mul(z, y))), 2), tf.maximum(area, LEAST))
  const p = tf.sigmoid(z)
  const both = tf.add(tf.mul(tf.sum(tf.mul(w, tf.mul(p, y)), 2), 2), DICE_EPSILON)
  const either = tf.add(tf.sum(tf.mul(w, tf.add(tf.square(p), tf.square(y))), 2), DICE_EPSILON)
  const dice = tf.sub(1, tf.div(both, either))
  const [known, shown] = [isAny(area), isAny(tf.sum(tf.mul(w, y), 2))]
  const counted = overlap == null ? shown : tf.mul(shown, overlap)
  return tf.add(tf.mul(meanOfCounted(bce, known), BCE_WEIGHT), tf.mul(meanOfCounted(dice, counted), DICE_WEIGHT))
}

interface Known { readonly targets: tf.Tensor, readonly known: tf.Tensor, readonly overlap?: tf.Tensor | undefined }

/** 1 where there is any of it, else 0. */
function isAny (amount: tf.Tensor): tf.Tensor {
  return tf.minimum(tf.div(amount, LEAST), 1)
}

/** [B,C] over the images that count, then over the classes that any image counts for; 0 where none does. */
export function meanOfCounted (values: tf.Tensor, counted: tf.Tensor): tf.Scalar {
  const images = tf.sum(counted, 0)
  const means = tf.div(tf.sum(tf.mul(values, counted), 0), tf.maximum(images, 1))
  return tf.div(tf.sum(means), tf.maximum(tf.sum(tf.minimum(images, 1)), 1))
}
