import * as tf from '@tensorflow/tfjs-core'
import { meanOfCounted } from './supervised.ts'

/** The window of the original, at its side of the input: 31 of 384 pixels. */
const WINDOW = 31 / 384
const STEEPNESS = 5
/** Keeps a quotient finite. */
const LEAST = 1e-6
const SMOOTH = 1

/** The odd number of cells nearest to 31 of 384 parts of the side. */
export function edgeWindow (side: number): number {
  return 2 * Math.round((WINDOW * side - 1) / 2) + 1
}

/**
 * 1 + 5·|mean around − m| of each cell of a mask [side·side], 0 to 1: high at its edges. What lies beyond the mask counts as 0, as in
 * the original (F3Net's structure loss).
 */
export function edgeWeights (mask: Float32Array, side: number): Float32Array {
  const window = edgeWindow(side)
  const sums = alongRows(alongRows(mask, side, window), side, window)
  return mask.map((each, i) => 1 + STEEPNESS * Math.abs(sums[i]! / window ** 2 - each))
}

/** Sums over a window along the rows, by prefix sums, with rows and columns exchanged. */
function alongRows (values: Float32Array | Float64Array, side: number, window: number): Float64Array {
  const out = new Float64Array(side ** 2)
  const prefix = new Float64Array(side + 1)
  const half = (window - 1) / 2
  for (let row = 0; row < side; row++) {
    for (let x = 0; x < side; x++) prefix[x + 1] = prefix[x]! + values[row * side + x]!
    for (let x = 0; x < side; x++) out[x * side + row] = prefix[Math.min(side, x + half + 1)]! - prefix[Math.max(0, x - half)]!
  }
  return out
}

interface Guessed {
  readonly targets: tf.Tensor
  /** How far each cell is believed, 0 to 1. */
  readonly certainty: tf.Tensor
  readonly edges: tf.Tensor
}

/**
 * Cross-entropy and overlap, edges weighing more, over the images of which anything is believed; all [B,C,L,L]. With certainty 1 the
 * structure loss of F3Net. Cross-entropy is a mean over all cells, so that an image that is hardly believed counts for little.
 */
export function edgeWeightedLoss (logits: tf.Tensor, { targets, certainty, edges }: Guessed): tf.Scalar {
  const [images = 0, classes = 0] = logits.shape
  const rows = (each: tf.Tensor): tf.Tensor => tf.reshape(each, [images, classes, -1])
  const [z, m, w, e] = [logits, targets, certainty, edges].map(rows) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
  const weights = tf.mul(e, w)
  const bce = tf.div(tf.sum(tf.mul(weights, tf.sub(tf.softplus(z), tf.mul(z, m))), 2), tf.maximum(tf.sum(e, 2), LEAST))
  const p = tf.sigmoid(z)
  const both = tf.sum(tf.mul(weights, tf.mul(p, m)), 2)
  const either = tf.sub(tf.sum(tf.mul(weights, tf.add(p, m)), 2), both)
  const iou = tf.sub(1, tf.div(tf.add(both, SMOOTH), tf.add(either, SMOOTH)))
  const counted = tf.minimum(tf.div(tf.sum(w, 2), LEAST), 1)
  return meanOfCounted(tf.add(bce, iou), counted)
}

/** Mean of 1 − |2p − 1|² over what counts: 0 where answers are decided, 1 where they are not. */
export function uncertaintyLoss (logits: tf.Tensor, counts: tf.Tensor | undefined): tf.Scalar {
  const p = tf.sigmoid(logits)
  const undecided = tf.mul(tf.mul(p, tf.sub(1, p)), 4)
  if (counts == null) return tf.mean(undecided)
  return tf.div(tf.sum(tf.mul(counts, undecided)), tf.maximum(tf.sum(counts), LEAST))
}

/** Cross-entropy with the teacher's probabilities where nothing is known, by how certain it is: mean over what is not known. */
export function taughtLoss (
  logits: tf.Tensor,
  { teacher, unknown }: { readonly teacher: tf.Tensor, readonly unknown: tf.Tensor }
): tf.Scalar {
  const y = tf.clipByValue(tf.sigmoid(teacher), LEAST, 1 - LEAST)
  const nats = tf.neg(tf.add(tf.mul(y, tf.log(y)), tf.mul(tf.sub(1, y), tf.log(tf.sub(1, y)))))
  const weights = tf.mul(unknown, tf.sub(1, tf.div(nats, Math.LN2)))
  const bce = tf.sub(tf.softplus(logits), tf.mul(logits, y))
  return tf.div(tf.sum(tf.mul(weights, bce)), tf.maximum(tf.sum(unknown), LEAST))
}
