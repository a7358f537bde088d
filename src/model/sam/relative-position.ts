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

/** [side², 2·side]: for each token of the square, its row and its column as one-hots. */
function placeCodes (side: number): Float32Array {
  const codes = new Float32Array(side * side * 2 * side)
  for (let i = 0; i < side * side; i++) {
    codes[i * 2 * side + Math.floor(i / side)] = 1
    codes[i * 2 * side + side + i % side] = 1
  }
  return codes
}

/** q [side, others, size] against R [side, keys, size], one product per position along the axis: [side, others, keys]. */
function alongAxis (q: tf.Tensor4D, order: [number, number, number, number], table: tf.Tensor3D): tf.Tensor4D {
  const moved = tf.transpose(q, order)
  const [side, a, b, size] = moved.shape
  return tf.reshape(tf.matMul(tf.reshape(moved, [side, a * b, size]), table, false, true), [side, a, b, table.shape[1]])
}

/**
 * Appends to each scaled query its products with the tables of its row and column, to each key the one-hots of its place:
 * one product of the results then gives scaled logits plus both position terms (SAM_SPEC §1.3). q, k [B·heads, side², size].
 */
export function withPositions (q: tf.Tensor3D, k: tf.Tensor3D, rows: tf.Tensor3D, columns: tf.Tensor3D): { query: tf.Tensor3D, key: tf.Tensor3D } {
  const side = rows.shape[0]
  const [batch, tokens, size] = q.shape
  const square: tf.Tensor4D = tf.reshape(q, [batch, side, side, size])
  const byRow = tf.transpose(alongAxis(square, [1, 0, 2, 3], rows), [1, 0, 2, 3])
  const byColumn = tf.transpose(alongAxis(square, [2, 0, 1, 3], columns), [1, 2, 0, 3])
  const codes = tf.tile<tf.Tensor3D>(tf.tensor3d(placeCodes(side), [1, tokens, 2 * side]), [batch, 1, 1])
  const query: tf.Tensor3D = tf.concat([tf.mul(q, 1 / Math.sqrt(size)), tf.reshape(byRow, [batch, tokens, side]), tf.reshape(byColumn, [batch, tokens, side])], 2)
  return { query, key: tf.concat([k, codes], 2) }
}
