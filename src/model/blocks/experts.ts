import * as tf from '@tensorflow/tfjs-core'
import { gelu, type TensorRecord } from '../../compute/index.ts'
import { asRows, weight } from './common.ts'

/**
 * How one block sent its tokens: gate probabilities and renormalised gates, both [tokens, experts], or [images, experts] where the gate
 * looks at whole images.
 */
export interface Routing {
  readonly probabilities: tf.Tensor2D
  readonly gates: tf.Tensor2D
}

/**
 * 1 for the k largest of each row, else 0; ties go to the lower index. Counted by comparisons, so that the graph needs no
 * TopK; without gradient, because the choice is not differentiated (docs/spec/pfedsam.md#private-experts).
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

/** Softmax gate over the experts, the k largest renormalised to sum 1; where the record holds noise it is added to the logits. */
export function route (x: tf.Tensor2D, weights: TensorRecord, prefix: string, topK: number): Routing {
  const logits = tf.matMul<tf.Tensor2D>(x, weight(weights, `${prefix}.gate.weight`), false, true)
  const { [`${prefix}.gate.noise`]: noise } = weights
  const probabilities = tf.softmax(noise == null ? logits : tf.add<tf.Tensor2D>(logits, tf.slice(noise, 0, x.shape[0])))
  const kept: tf.Tensor2D = tf.mul(probabilities, topKMask(probabilities, topK))
  return { probabilities, gates: tf.div(kept, tf.sum(kept, 1, true)) }
}

/** What the gate looks at: every token, or the mean of an image's tokens [B,D] (docs/spec/pfedsam.md#private-experts). */
function gateInput (x: tf.Tensor, gate: 'token' | 'image'): tf.Tensor2D {
  if (gate === 'token') return asRows(x)
  const [batch, dim] = [x.shape[0], x.shape.at(-1)!]
  return tf.mean(tf.reshape(x, [batch, -1, dim]), 1)
}

/** The gates of every token, [tokens, experts]. */
function perToken ({ gates }: Routing, tokens: number): tf.Tensor2D {
  const [rows, experts] = gates.shape
  if (rows === tokens) return gates
  return tf.reshape(tf.tile(tf.expandDims(gates, 1), [1, tokens / rows, 1]), [tokens, experts])
}

/**
 * x [B,…,D] → the experts' sum of the same shape. All experts run side by side, each group of columns multiplied by its gate: exactly
 * the sum over the chosen experts. Without biases in the record the experts are plain low-rank pairs.
 */
export function mixExperts (
  x: tf.Tensor,
  weights: TensorRecord,
  prefix: string,
  { topK, gate }: { readonly topK: number, readonly gate: 'token' | 'image' }
): { value: tf.Tensor, routing: Routing } {
  const rows = asRows(x)
  const routing = route(gateInput(x, gate), weights, prefix, topK)
  const gates = perToken(routing, rows.shape[0])
  const down = weight(weights, `${prefix}.down.weight`)
  const [experts, bottleneck, dim] = down.shape as [number, number, number]
  const wide = experts * bottleneck
  const inner = tf.matMul(rows, tf.reshape(down, [wide, dim]), false, true)
  const { [`${prefix}.down.bias`]: downBias, [`${prefix}.up.bias`]: upBias } = weights
  const hidden = downBias == null ? inner : gelu(tf.add(inner, tf.reshape(downBias, [wide])))
  const gated = tf.mul(tf.reshape(hidden, [-1, experts, bottleneck]), tf.expandDims(gates, 2))
  const up = tf.reshape(tf.transpose(weight(weights, `${prefix}.up.weight`), [0, 2, 1]), [wide, dim])
  const mixed = tf.matMul(tf.reshape(gated, [-1, wide]), up)
  return { value: tf.reshape(upBias == null ? mixed : tf.add(mixed, tf.matMul(gates, upBias as tf.Tensor2D)), x.shape), routing }
}

/** E·Σ f·P: f the share of routed slots (no gradient), P the mean probability; 1 when uniform (docs/spec/pfedsam.md#private-experts). */
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
