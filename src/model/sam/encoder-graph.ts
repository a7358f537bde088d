import type * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import type { Routing } from '../blocks/experts.ts'

/**
 * What the adapters in the record need beside their tensors: LoRA's scale α/r, the experts used per token, and what their gate looks
 * at.
 */
export interface AdapterOptions {
  readonly loraScale: number
  readonly topK: number
  readonly gate: 'token' | 'image'
}

export const PLAIN: AdapterOptions = { loraScale: 1, topK: 2, gate: 'token' }

/** What a block makes of its tokens; `plain` without its experts, whose `routing` there is where the record holds them. */
export interface BlockOutput {
  readonly x: tf.Tensor4D
  readonly plain: tf.Tensor4D
  readonly routing?: Routing
}

/** How one kind of encoder runs, up to the neck that all have. */
export interface EncoderGraph<Config> {
  /** images [B,S,S,3], normalised → tokens [B,H,H,D] that know nothing of where they are. */
  readonly patches: (images: tf.Tensor4D, weights: TensorRecord, config: Config) => tf.Tensor4D
  /** The same → what block 0 takes. */
  readonly placed: (patches: tf.Tensor4D, weights: TensorRecord) => tf.Tensor4D
  /** One block; experts run beside its MLP where the record holds them. */
  readonly block: (x: tf.Tensor4D, weights: TensorRecord, config: Config, index: number, options: AdapterOptions) => BlockOutput
}
