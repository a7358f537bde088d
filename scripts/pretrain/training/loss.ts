import * as tf from '@tensorflow/tfjs-core'

const SMOOTH = 1e-5
/** Shares of the second term (the best of the three alternative maps) and of the third (the model's own estimate of its overlap). */
const ALTERNATIVES = 0.5
const ESTIMATE = 0.1
/** The alternative maps share the loss by softmax(−loss / this): near the best one alone, yet none is left untrained. */
const SOFTNESS = 0.05

/** BCE + soft Dice loss of each map: logits [N,M,P], targets [N,1,P] → [N,M]. */
function mapLosses (logits: tf.Tensor3D, targets: tf.Tensor3D): tf.Tensor2D {
  const bce = tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, targets)), 2)
  const inside = tf.sigmoid(logits)
  const overlap = tf.sum(tf.mul(inside, targets), 2)
  const total = tf.add(tf.sum(tf.mul(inside, inside), 2), tf.sum(tf.mul(targets, targets), 2))
  const dice = tf.div(tf.add(tf.mul(overlap, 2), SMOOTH), tf.add(total, SMOOTH))
  return tf.add(bce, tf.sub(1, dice))
}

/** Overlap (IoU) of the thresholded maps with the thresholded targets, [N,M]; a constant for the gradient. */
function overlaps (logits: tf.Tensor3D, targets: tf.Tensor3D): tf.Tensor2D {
  const compute = tf.customGrad((z) => {
    const inside = tf.cast(tf.greater(z as tf.Tensor3D, 0), 'float32')
    const wanted = tf.cast(tf.greater(targets, 0.5), 'float32')
    const both = tf.sum(tf.mul(inside, wanted), 2)
    const either = tf.sub(tf.add(tf.sum(inside, 2), tf.sum(wanted, 2)), both)
    return { value: tf.div(both, tf.add(either, SMOOTH)), gradFunc: () => tf.zeros(logits.shape) }
  })
  return compute(logits) as tf.Tensor2D
}

/** Sum over maps 1–3 of their losses, weighted towards the smallest: [N,4] → [N]. */
function alternatives (losses: tf.Tensor2D): tf.Tensor1D {
  const others = tf.slice(losses, [0, 1], [-1, 3])
  return tf.sum(tf.mul(tf.softmax(tf.mul(others, -1 / SOFTNESS)), others), 1)
}

/** Mean loss over N tasks: masks [N,4,L,L] logits, iou [N,4], targets [N,L,L] → scalar. */
export function taskLoss (masks: tf.Tensor4D, iou: tf.Tensor2D, targets: tf.Tensor3D): tf.Scalar {
  const [tasks, maps, rows, columns] = masks.shape
  const logits = tf.reshape<tf.Rank.R3>(masks, [tasks, maps, rows * columns])
  const wanted = tf.reshape<tf.Rank.R3>(targets, [tasks, 1, rows * columns])
  const losses = mapLosses(logits, wanted)
  const single = tf.reshape(tf.slice(losses, [0, 0], [-1, 1]), [tasks])
  const error = tf.sub(iou, overlaps(logits, wanted))
  const estimate = tf.mean(tf.mul(error, error), 1)
  return tf.mean(tf.addN([single, tf.mul(alternatives(losses), ALTERNATIVES), tf.mul(estimate, ESTIMATE)]))
}
