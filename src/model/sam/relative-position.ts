import * as tf from '@tensorflow/tfjs-core'

/** R [side, side, size] with R[a,b] = table[a − b + side − 1]; a one-hot product, because gather has no gradient everywhere. */
export function relativeTable (table: tf.Tensor2D, side: number): tf.Tensor3D {
  const [rows, size] = table.shape
  const pick = new Float32Array(side * side * rows)
  for (let a = 0; a < side; a++) {
    for (let b = 0; b < side; b++) pick[(a * side + b) * rows + a - b + side - 1] = 1
  }
  return tf.reshape(tf.matMul(tf.tensor2d(pick, [side * side, rows]), table), [side, side, size])
}

/** x [batch, side², heads, width], rows of tokens and columns of tokens exchanged. */
function flip (x: tf.Tensor4D, side: number): tf.Tensor4D {
  const [batch, , heads, width] = x.shape
  return tf.reshape(tf.transpose(tf.reshape(x, [batch, side, side, heads * width]), [0, 2, 1, 3]), x.shape)
}

/**
 * What decomposed relative positions add to the logits of q [batch, side², heads, size], given the tables [side, side, size]: for the
 * keys' rows and then for their columns, [batch, side², heads, 2·side] (docs/spec/sam.md#relative-positions). Tokens come before heads:
 * so the rows need no copy, and the columns one of long pieces.
 */
export function placesOf (q: tf.Tensor4D, rows: tf.Tensor3D, columns: tf.Tensor3D): tf.Tensor4D {
  const [batch, tokens, heads, size] = q.shape
  const side = rows.shape[0]
  const along = (x: tf.Tensor4D, table: tf.Tensor3D): tf.Tensor4D => {
    const products = tf.matMul(tf.reshape(x, [batch, side, side * heads, size]), tf.reshape(table, [1, side, side, size]), false, true)
    return tf.reshape(products, [batch, tokens, heads, side])
  }
  return tf.concat([along(q, rows), flip(along(flip(q, side), columns), side)], 3)
}
