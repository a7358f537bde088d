import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { affine, layerNorm, linear, weight } from '../blocks/common.ts'
import type { Routing } from '../blocks/experts.ts'
import { swapStyles } from '../blocks/style-swap.ts'
import { CHANNEL_EPS, type SamConfig } from './build-sam.ts'
import { PLAIN, type AdapterOptions, type BlockOutput } from './encoder-graph.ts'
import { tinyVit } from './tiny-vit.ts'
import { vit } from './vit.ts'

/** Tokens on their grid [B,H,H,D] and how each block with experts so far sent them. */
export interface Tokens {
  readonly x: tf.Tensor4D
  readonly routing: readonly Routing[]
}

/** One block on its tokens [B,H,H,D]; experts run beside the MLP where the record holds them. */
export function encoderBlock (
  x: tf.Tensor4D,
  weights: TensorRecord,
  config: SamConfig,
  index: number,
  options: AdapterOptions = PLAIN
): BlockOutput {
  switch (config.encoder) {
    case 'vit': return vit.block(x, weights, config, index, options)
    case 'tiny-vit': return tinyVit.block(x, weights, config, index, options)
  }
}

function patches (images: tf.Tensor4D, weights: TensorRecord, config: SamConfig): tf.Tensor4D {
  switch (config.encoder) {
    case 'vit': return vit.patches(images, weights, config)
    case 'tiny-vit': return tinyVit.patches(images, weights, config)
  }
}

function placed (tokens: tf.Tensor4D, weights: TensorRecord, { encoder }: SamConfig): tf.Tensor4D {
  switch (encoder) {
    case 'vit': return vit.placed(tokens, weights)
    case 'tiny-vit': return tinyVit.placed(tokens, weights)
  }
}

/** 3×3 convolution with zero padding 1, no bias: nine shifted copies side by side, then one matrix product. */
function convolve3 (x: tf.Tensor4D, kernel: tf.Tensor): tf.Tensor4D {
  const padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
  const shifts = Array.from({ length: 9 }, (_, i) => tf.slice(padded, [0, Math.floor(i / 3), i % 3, 0], x.shape))
  return affine(tf.concat(shifts, 3), tf.transpose(kernel, [0, 2, 3, 1])) as tf.Tensor4D
}

/** [B,G,G,D] → [B,G,G,d]: 1×1, norm, 3×3, norm. */
export function neck (x: tf.Tensor4D, weights: TensorRecord): tf.Tensor4D {
  const narrow = layerNorm(linear(x, weights, 'image_encoder.neck.0'), weights, 'image_encoder.neck.1', CHANNEL_EPS)
  const mixed = convolve3(narrow as tf.Tensor4D, weight(weights, 'image_encoder.neck.2.weight'))
  return layerNorm(mixed, weights, 'image_encoder.neck.3', CHANNEL_EPS) as tf.Tensor4D
}

/** Images [D,S,S,3] that lend their styles, and the matrix by which patches take them (style-swap.ts). */
export interface Swap {
  readonly donors?: tf.Tensor4D | undefined
  readonly matrix: tf.Tensor2D
}

/** images [B,S,S,3], normalised → the tokens of block 0, with styles swapped before they know where they are. */
export function embedTokens (images: tf.Tensor4D, weights: TensorRecord, config: SamConfig, swap?: Swap): Tokens {
  const tokens = patches(images, weights, config)
  if (swap == null) return { x: placed(tokens, weights, config), routing: [] }
  const from = swap.donors == null ? undefined : patches(swap.donors, weights, config)
  return { x: placed(swapStyles(tokens, { from, matrix: swap.matrix }), weights, config), routing: [] }
}

/** Blocks `from` up to, not including, `to`. */
export function runBlocks (
  tokens: Tokens,
  weights: TensorRecord,
  config: SamConfig,
  from: number,
  to: number,
  options: AdapterOptions = PLAIN
): Tokens {
  let state = tokens
  for (let index = from; index < to; index++) {
    const { x, routing } = encoderBlock(state.x, weights, config, index, options)
    state = { x, routing: routing == null ? state.routing : [...state.routing, routing] }
  }
  return state
}

/** images [B,S,S,3], normalised → embedding [B,G,G,d] and the routing of every block with experts (docs/spec/sam.md#image-encoder). */
export function encodeImage (
  weights: TensorRecord,
  config: SamConfig,
  images: tf.Tensor4D,
  options: AdapterOptions = PLAIN
): { embedding: tf.Tensor4D, routing: readonly Routing[] } {
  const { x, routing } = runBlocks(embedTokens(images, weights, config), weights, config, 0, config.depth, options)
  return { embedding: neck(x, weights), routing }
}
