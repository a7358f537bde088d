import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'

/**
 * Of each item of x [B,…] the share @shares [B], and for the rest of it its partner's, by the one-hot rows of @partners [B,B]; x itself
 * where they are not fed (docs/spec/mixing.md#mixup).
 */
export function mixed<T extends tf.Tensor> (x: T, { '@partners': partners, '@shares': shares }: TensorRecord): T {
  if (partners == null || shares == null) return x
  const rows = tf.reshape(x, [x.shape[0], -1])
  const share = tf.reshape(shares, [-1, 1])
  const others = tf.matMul(partners, rows)
  return tf.reshape(tf.add(tf.mul(share, rows), tf.mul(tf.sub(1, share), others)), x.shape) as T
}

/** What is known of mixed items: what is known of both. */
export function mixedKnown (known: tf.Tensor, { '@partners': partners }: TensorRecord): tf.Tensor {
  if (partners == null) return known
  const rows = tf.reshape(known, [known.shape[0], -1])
  return tf.reshape(tf.mul(rows, tf.matMul(partners as tf.Tensor2D, rows)), known.shape)
}
