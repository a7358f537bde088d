import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { SELECTION, VECTOR } from '../parameters/site-selection.ts'
import { affine, reluMlp, weight } from './common.ts'

/**
 * How much of each channel of embeddings [B,G,G,d] sites with vectors [n,m] select: [B,n,d], 0 to 1
 * (docs/spec/weak.md#site-contrast).
 */
export function selection (embedding: tf.Tensor, vectors: tf.Tensor, weights: TensorRecord): tf.Tensor {
  const [images = 0, , , width = 0] = embedding.shape
  const cells = tf.reshape(embedding, [images, -1, width])
  const [first, second] = [0, 1].map((layer) => weight(weights, `${SELECTION}.fc2.layers.${layer}.weight`)) as [tf.Tensor, tf.Tensor]
  const [ofPool, ofSite] = tf.split(first, 2, 1) as [tf.Tensor, tf.Tensor]
  const site = affine(reluMlp(vectors, weights, `${SELECTION}.fc1`, 2), ofSite)
  const answer = (pool: tf.Tensor): tf.Tensor => {
    const hidden = tf.add(tf.expandDims(affine(pool, ofPool), 1), tf.expandDims(site, 0))
    return affine(tf.relu(hidden), second)
  }
  return tf.sigmoid(tf.add(answer(tf.mean(cells, 1)), answer(tf.max(cells, 1))))
}

/** F + F·(2h − 1)·g with the site's own vector: F itself, bit for bit, while the gain g is 0, and where the record has none. */
export function selected (embedding: tf.Tensor4D, weights: TensorRecord): tf.Tensor4D {
  const gain = weights[`${SELECTION}.gain`]
  if (gain == null) return embedding
  const h = selection(embedding, ownVector(weights), weights)
  const [images = 0, , width = 0] = h.shape
  const factor = tf.mul(tf.sub(tf.mul(tf.reshape(h, [images, 1, 1, width]), 2), 1), gain)
  return tf.add(embedding, tf.mul(embedding, factor))
}

/** [1,m]; zeros, which say nothing of any site, where the record has none. */
export function ownVector (weights: TensorRecord): tf.Tensor {
  const size = weight(weights, `${SELECTION}.fc1.layers.0.weight`).shape[1]!
  const own = weights[VECTOR]
  return own == null ? tf.zeros([1, size]) : tf.reshape(own, [1, size])
}
