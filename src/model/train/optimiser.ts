import * as tf from '@tensorflow/tfjs-core'

const BETA_1 = 0.9
const BETA_2 = 0.999
/** Of a discriminator and of relations, which follow what moves. */
export const OWN_BETA_2 = 0.99
const EPSILON = 1e-8

/** One AdamW update of a flat parameter vector; everything is a tensor, so that all of it can be input of a compiled step. */
export interface AdamWInput {
  readonly value: tf.Tensor
  readonly gradient: tf.Tensor
  /** First and second moments, zeros at the start. */
  readonly first: tf.Tensor
  readonly second: tf.Tensor
  /** Learning rate per element, or one for all. */
  readonly rate: tf.Tensor
  /** Weight decay per element, or one for all; multiplied by the rate. */
  readonly decay: tf.Tensor
  /** [3]: what stepScalars says. */
  readonly scalars: tf.Tensor
  /** What of the second moments stays; 0.999 if not given. */
  readonly beta2?: number
}

/**
 * Host scalars of optimiser step `step` (from 1): both bias corrections and the factor of the learning rate. Made on the host
 * because 1 − β₂ᵗ loses digits in float32.
 */
export function stepScalars (step: number, rateFactor = 1, beta2 = BETA_2): Float32Array {
  return Float32Array.of(1 / (1 - BETA_1 ** step), 1 / (1 - beta2 ** step), rateFactor)
}

/** Linear warm-up over `warmupSteps`, then 1; `step` counts from 1 over all rounds. */
export function warmup (step: number, warmupSteps: number): number {
  return warmupSteps === 0 ? 1 : Math.min(1, step / warmupSteps)
}

/**
 * Factor of the learning rate in `round` (from 1) of `rounds`, after which the experts are fitted once more: a polynomial of degree 0.9
 * that never gets to 0 (docs/spec/pfedsam.md#optimiser).
 */
export function decline (round: number, rounds: number): number {
  return (1 - Math.min(round - 1, rounds) / (rounds + 1)) ** 0.9
}

/** AdamW, β = (0.9, β₂), ε = 1e-8, decay decoupled from the gradient. */
export function adamw (
  { value, gradient, first, second, rate, decay, scalars, beta2 = BETA_2 }: AdamWInput
): { value: tf.Tensor, first: tf.Tensor, second: tf.Tensor } {
  const [correction1, correction2, factor] = tf.split(scalars, 3) as [tf.Tensor, tf.Tensor, tf.Tensor]
  const m = tf.add(tf.mul(first, BETA_1), tf.mul(gradient, 1 - BETA_1))
  const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2))
  const direction = tf.div(tf.mul(m, correction1), tf.add(tf.sqrt(tf.mul(v, correction2)), EPSILON))
  const change = tf.mul(tf.mul(rate, factor), tf.add(direction, tf.mul(decay, value)))
  return { value: tf.sub(value, change), first: m, second: v }
}

/** Scales a flat gradient down to this norm where it is longer. */
export function clipByNorm (gradient: tf.Tensor, norm: number): tf.Tensor {
  const length = tf.sqrt(tf.sum(tf.square(gradient)))
  return tf.mul(gradient, tf.minimum(1, tf.div(norm, tf.add(length, 1e-6))))
}

const UNDECAYED = /(iou_token|mask_tokens|_embed|point_embeddings\.\d)(\.weight)?$|rel_pos_|\.bias$/

/**
 * Matrices and kernels of the base decay; biases, norms, tokens, embeddings and position tables do not
 * (docs/spec/pfedsam.md#optimiser).
 */
export function decays ({ name, shape }: { readonly name: string, readonly shape: readonly number[] }): boolean {
  return shape.length > 1 && !UNDECAYED.test(name)
}
