import * as tf from '@tensorflow/tfjs-core'

/** x [B,G,G,D] → [B·windows,w,w,D]; zeros at the bottom and right where w does not divide G. */
export function partitionWindows (x: tf.Tensor4D, window: number): tf.Tensor4D {
  const [batch, grid, , dim] = x.shape
  const count = Math.ceil(grid / window)
  const more = count * window - grid
  const padded = more === 0 ? x : tf.pad(x, [[0, 0], [0, more], [0, more], [0, 0]])
  const cut = tf.transpose(tf.reshape(padded, [batch, count, window, count, window, dim]), [0, 1, 3, 2, 4, 5])
  return tf.reshape<tf.Rank.R4>(cut, [batch * count * count, window, window, dim])
}

/** The inverse of partitionWindows; the padding is cropped. */
export function joinWindows (windows: tf.Tensor4D, batch: number, grid: number): tf.Tensor4D {
  const [, window, , dim] = windows.shape
  const count = Math.ceil(grid / window)
  const joined = tf.reshape<tf.Rank.R4>(tf.transpose(tf.reshape(windows, [batch, count, count, window, window, dim]), [0, 1, 3, 2, 4, 5]), [
    batch,
    count * window,
    count * window,
    dim
  ])
  return count * window === grid ? joined : tf.slice(joined, [0, 0, 0, 0], [batch, grid, grid, dim])
}

/** x [B,n,…,D] → [B·heads, tokens, D/heads]. */
export function splitHeads (x: tf.Tensor, heads: number): tf.Tensor3D {
  const batch = x.shape[0]
  const size = x.shape.at(-1)! / heads
  const tokens = x.size / batch / heads / size
  return tf.reshape(tf.transpose(tf.reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]), [batch * heads, tokens, size])
}
