import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import type { Routing } from '../blocks/experts.ts'
import { MASK_TOKENS, type SamConfig } from './build-sam.ts'
import { PLAIN, type AdapterOptions } from './encoder-graph.ts'
import { encodeImage } from './image-encoder.ts'
import { decodeMasks } from './mask-decoder.ts'
import { densePositions, encodeDense, encodeSparse, type Prompts } from './prompt-encoder.ts'

export interface SamOutput {
  /** Logits [P, maps, 4G, 4G]. */
  readonly masks: tf.Tensor4D
  /** Estimated IoU of the four maps, [P, 4]. */
  readonly iou: tf.Tensor2D
  /** One entry per block with experts. */
  readonly routing: readonly Routing[]
}

export interface SamOptions extends Partial<AdapterOptions> {
  /** Which of the four mask maps to compute; default all. */
  readonly maps?: readonly number[]
}

const ALL_MAPS = Array.from({ length: MASK_TOKENS }, (_, m) => m)

/**
 * The whole model, images [B,S,S,3] normalised → masks. One prompt per image, or one image with P prompts. Adapters act where
 * `weights` holds their tensors: merge Γ (and Λ) into the base's record, Γ's heads over the base's.
 */
export function samForward (
  weights: TensorRecord,
  config: SamConfig,
  images: tf.Tensor4D,
  prompts: Prompts = {},
  options: SamOptions = {}
): SamOutput {
  const adapters = { ...PLAIN, ...options }
  const { embedding, routing } = encodeImage(weights, config, images, adapters)
  return { ...promptMasks(weights, config, embedding, prompts, options), routing }
}

/** The part after the image encoder, for embeddings [B,G,G,d] that are already there. */
export function promptMasks (...args: Parameters<typeof promptAnswers>): { masks: tf.Tensor4D, iou: tf.Tensor2D } {
  const { masks, iou } = promptAnswers(...args)
  return { masks, iou }
}

/** The same with the features that the masks are made of. */
export function promptAnswers (
  weights: TensorRecord,
  config: SamConfig,
  embedding: tf.Tensor4D,
  prompts: Prompts = {},
  { loraScale = 1, maps = ALL_MAPS }: SamOptions = {}
): ReturnType<typeof decodeMasks> {
  const count = promptCount(prompts)
  const repeated = embedding.shape[0] === 1 && count > 1 ? tf.tile(embedding, [count, 1, 1, 1]) : embedding
  const input = {
    embedding: repeated,
    positions: densePositions(weights, config),
    sparse: encodeSparse(weights, config, prompts),
    dense: encodeDense(weights, prompts)
  }
  return decodeMasks(weights, input, { loraScale, maps })
}

function promptCount ({ points, tokens, boxes, mask }: Prompts): number {
  return points?.coordinates.shape[0] ?? tokens?.coordinates.shape[0] ?? boxes?.shape[0] ?? mask?.shape[0] ?? 1
}
