import * as tf from '@tensorflow/tfjs-core'

/** Keeps a quotient finite. */
const LEAST = 1e-6

/**
 * Tree energy: mean over what is not known of |p − Ap|, of each class, summed over the classes. Probabilities and `unknown` [B,C,N],
 * affinities with rows that sum to 1 [B,N,N].
 */
export function treeEnergy (
  probabilities: tf.Tensor,
  { affinity, unknown }: { readonly affinity: tf.Tensor, readonly unknown: tf.Tensor }
): tf.Scalar {
  const filtered = tf.transpose(tf.matMul(affinity, tf.transpose(probabilities, [0, 2, 1])), [0, 2, 1])
  const away = tf.mul(unknown, tf.abs(tf.sub(probabilities, filtered)))
  const byClass = (x: tf.Tensor): tf.Tensor => tf.sum(tf.sum(x, 2), 0)
  return tf.sum(tf.div(byClass(away), tf.maximum(byClass(unknown), LEAST)))
}

/**
 * Gated CRF (Obukhov et al. 2019): the mean over cells of Σ_j k_ij (1 − p_i p_j − (1 − p_i)(1 − p_j)), summed over the classes.
 * Probabilities [B,C,L,L]; `kernels` [B,K,L,L] of cell and the cell `shifts[k]` further on, one of each pair, 0 where there is none;
 * `cells`, a scalar: how many count.
 */
export function gatedCrf (
  probabilities: tf.Tensor,
  { kernels, shifts, cells }: { readonly kernels: tf.Tensor, readonly shifts: readonly Shift[], readonly cells: tf.Tensor }
): tf.Scalar {
  const [images = 0, classes = 0, side = 0] = probabilities.shape
  const reach = Math.max(...shifts.flat().map(Math.abs))
  const padded = tf.pad(probabilities, [[0, 0], [0, 0], [reach, reach], [reach, reach]])
  const terms = tf.split(kernels, shifts.length, 1).map((kernel, k) => {
    const [down, right] = shifts[k]!
    const other = tf.slice(padded, [0, 0, reach + down, reach + right], [images, classes, side, side])
    // 1 − pq − (1 − p)(1 − q)
    const unlike = tf.sub(tf.add(probabilities, other), tf.mul(tf.mul(probabilities, other), 2))
    return tf.sum(tf.sum(tf.mul(kernel, unlike), [2, 3]))
  })
  // Each pair was taken once, and counts from both its cells.
  return tf.div(tf.mul(tf.addN(terms), 2), tf.maximum(cells, 1))
}

/** Cells down and right. */
export type Shift = readonly [down: number, right: number]

/** One of each two opposite shifts of up to `radius` cells either way: what lies below, and to the right in the same row. */
export function halfShifts (radius: number): Shift[] {
  const all = Array.from({ length: (2 * radius + 1) ** 2 }, (_, i): Shift =>
    [Math.floor(i / (2 * radius + 1)) - radius, i % (2 * radius + 1) - radius])
  return all.filter(([down, right]) => down > 0 || (down === 0 && right > 0))
}
