/** Attention whose maps are computed anew in the backward pass where they are too large to keep. */
import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from './ops.ts'

/** Bytes of attention maps that one call may hold at a time; 12 heads over 1,024 tokens need 50 MB. */
const mapBudget = 2 ** 27

type Save = (tensors: tf.Tensor[]) => void
type Triple = [query: tf.Tensor3D, key: tf.Tensor3D, value: tf.Tensor3D]

/**
 * softmax(query · keyᵀ) · value for query [heads, n, d], key [heads, m, d] and value [heads, m, e]: [heads, n, e]. Maps above `budget` bytes
 * are not kept for the gradient but computed twice, as many heads at a time as fit (Chen et al. 2016, arXiv 1604.06174).
 */
export function attend (query: tf.Tensor3D, key: tf.Tensor3D, value: tf.Tensor3D, budget = mapBudget): tf.Tensor3D {
  const [heads, rows] = query.shape
  const group = Math.max(1, Math.floor(budget / (4 * rows * key.shape[1])))
  if (group >= heads) return forward(query, key, value)
  const sizes = Array.from({ length: Math.ceil(heads / group) }, (_, index) => Math.min(group, heads - index * group))
  return tf.customGrad<tf.Tensor3D>(((q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, save: Save) => {
    const mixed = inGroups([q, k, v], sizes, forward)
    save([q, k, v, mixed])
    return { value: mixed, gradFunc: (dy: tf.Tensor3D, saved: tf.Tensor3D[]) => gradients(dy, saved, sizes) }
  }) as never)(query, key, value)
}

function inGroups (inputs: Triple, sizes: number[], compute: (...parts: Triple) => tf.Tensor3D): tf.Tensor3D {
  const parts = inputs.map((input) => tf.split(input, sizes))
  return tf.concat(sizes.map((_, index) => tf.tidy(() => compute(...parts.map((list) => list[index] as tf.Tensor3D) as Triple))))
}

function forward (query: tf.Tensor3D, key: tf.Tensor3D, value: tf.Tensor3D): tf.Tensor3D {
  return tf.matMul(tf.softmax(tf.matMul(query, key, false, true)), value)
}

/** Group by group, each after the gradients of the one before, or a graph might hold the maps of all at once. */
function gradients (dy: tf.Tensor3D, saved: tf.Tensor3D[], sizes: number[]): Triple {
  const parts = [dy, ...saved].map((tensor) => tf.split(tensor, sizes))
  const results: Triple[] = []
  for (const index of sizes.keys()) {
    const [gradient, query, key, value, mixed] = parts.map((list) => list[index]) as [tf.Tensor3D, ...Triple, tf.Tensor3D]
    results.push(tf.tidy(() => groupGradients(gradient, [after(query, [gradient, ...results.at(-1) ?? []]), key, value], mixed)))
  }
  const joined = (which: 0 | 1 | 2): tf.Tensor3D => tf.concat(results.map((result) => result[which]))
  return [joined(0), joined(1), joined(2)]
}

/** With map P and dP = dy · valueᵀ: dS = P · (dP − Σ dP · P), and the row sums Σ dP · P are those of dy · mixed. */
function groupGradients (dy: tf.Tensor3D, [query, key, value]: Triple, mixed: tf.Tensor3D): Triple {
  const map = tf.softmax(tf.matMul(query, key, false, true))
  const slope = tf.mul<tf.Tensor3D>(map, tf.sub(tf.matMul(dy, value, false, true), tf.sum(tf.mul(dy, mixed), -1, true)))
  return [tf.matMul(slope, key), tf.matMul(slope, query, true, false), tf.matMul(map, dy, true, false)]
}

/** `x`, but not before `others` are known; only graphs need telling. */
function after (x: tf.Tensor3D, others: readonly tf.Tensor[]): tf.Tensor3D {
  if (!hasKernel('After')) return x
  return others.reduce<tf.Tensor3D>((value, other) => tf.engine().runKernel<tf.Tensor3D>('After', { x: value, other }), x)
}
