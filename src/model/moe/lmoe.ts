import * as tf from '@tensorflow/tfjs-core'
import { gelu, type TensorRecord } from '../../compute/index.ts'
import { asRows, weight } from '../sam/common.ts'

/** How one block sent its tokens: gate probabilities and renormalised gates, both [tokens, experts]. */
export interface Routing {
  readonly probabilities: tf.Tensor2D
  readonly gates: tf.Tensor2D
}

/**
 * 1 for the k largest of each row, else 0; ties go to the lower index. Counted by comparisons, so that the graph needs no
 * TopK; without gradient, because the choice is not differentiated (SAM_SPEC §3.2).
 */
export function topKMask (p: tf.Tensor2D, k: number): tf.Tensor2D {
  const choose = tf.customGrad((input) => {
    const x = input as tf.Tensor2D
    const [, experts] = x.shape
    const own = tf.expandDims(x, 2)
    const other = tf.expandDims(x, 1)
    const earlier = tf.tensor(Array.from({ length: experts }, (_, e) => Array.from({ length: experts }, (_unused, o) => o < e ? 1 : 0)))
    const ahead = tf.add(tf.cast(tf.greater(other, own), 'float32'), tf.mul(tf.cast(tf.equal(other, own), 'float32'), earlier))
    const value = tf.cast(tf.less(tf.sum(ahead, 2), k), 'float32')
    return { value, gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy) }
  })
  return choose(p) as tf.Tensor2D
}

/** Softmax gate over the experts, the k largest renormalised to sum 1. */
export function route (x: tf.Tensor2D, weights: TensorRecord, prefix: string, topK: number): Routing {
  const probabilities = tf.softmax(tf.matMul<tf.Tensor2D>(x, weight(weights, `${prefix}.gate.weight`), false, true))
  const kept: tf.Tensor2D = tf.mul(probabilities, topKMask(probabilities, topK))
  return { probabilities, gates: tf.div(kept, tf.sum(kept, 1, true)) }
}

/** All experts side by side, each group of columns multiplied by its gate: exactly the sum over the chosen experts. */
export function mixExperts (x: tf.Tensor, weights: TensorRecord, prefix: string, topK: number): { value: tf.Tensor, routing: Routing } {
  const rows = asRows(x)
  const routing = route(rows, weights, prefix, topK)
  const down = weight(weights, `${prefix}.down.weight`)
  const [experts, bottleneck, dim] = down.shape as [number, number, number]
  const wide = experts * bottleneck
  const hidden = gelu(tf.add(tf.matMul(rows, tf.reshape(down, [wide, dim]), false, true), tf.reshape(weight(weights, `${prefix}.down.bias`), [wide])))
  const gated = tf.mul(tf.reshape(hidden, [-1, experts, bottleneck]), tf.expandDims(routing.gates, 2))
  const up = tf.reshape(tf.transpose(weight(weights, `${prefix}.up.weight`), [0, 2, 1]), [wide, dim])
  const value = tf.add(tf.matMul(tf.reshape(gated, [-1, wide]), up), tf.matMul(routing.gates, weight(weights, `${prefix}.up.bias`)))
  return { value: tf.reshape(value, x.shape), routing }
}

/** E·Σ f·P: f the share of routed slots (no gradient), P the mean probability; 1 when uniform (SAM_SPEC §3.2). */
export function balanceLoss ({ probabilities, gates }: Routing): tf.Scalar {
  const experts = probabilities.shape[1]
  const share = routedShare(gates)
  return tf.mul(tf.sum(tf.mul(share, tf.mean(probabilities, 0))), experts)
}

/** Share of the routed slots that went to each expert, [experts]. */
export function routedShare (gates: tf.Tensor2D): tf.Tensor1D {
  const count = tf.customGrad((input) => {
    const chosen = tf.sum(tf.cast(tf.greater(input as tf.Tensor2D, 0), 'float32'), 0)
    return { value: tf.div(chosen, tf.sum(chosen)), gradFunc: () => tf.zerosLike(input as tf.Tensor2D) }
  })
  return count(gates) as tf.Tensor1D
}
