import * as tf from '@tensorflow/tfjs-core'
import { attend, gelu, type TensorRecord } from '../../compute/index.ts'
import { addBottleneck, BESIDE_MLP } from '../blocks/bottleneck.ts'
import { affine, layerNorm, linear, weight } from '../blocks/common.ts'
import { mixExperts, type Routing } from '../blocks/experts.ts'
import { loraQkv } from '../blocks/lora.ts'
import { CHANNEL_EPS, ENCODER_EPS, gridSide, type SamConfig } from './build-sam.ts'
import { placesOf, relativeTable } from './relative-position.ts'

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

/** images [B,S,S,3] → [B,G,G,D], before the position embedding: the patches as rows of one matrix product. */
export function patchEmbed (images: tf.Tensor4D, weights: TensorRecord, config: SamConfig): tf.Tensor4D {
  const { patch, dim } = config
  const grid = gridSide(config)
  const batch = images.shape[0]
  const cut = tf.transpose(tf.reshape(images, [batch, grid, patch, grid, patch, 3]), [0, 1, 3, 2, 4, 5])
  const kernel = tf.transpose(weight(weights, 'image_encoder.patch_embed.proj.weight'), [0, 2, 3, 1])
  const tokens = affine(
    tf.reshape(cut, [batch * grid * grid, patch * patch * 3]),
    kernel,
    weight(weights, 'image_encoder.patch_embed.proj.bias')
  )
  return tf.reshape(tokens, [batch, grid, grid, dim])
}

/** x [B,G,G,D] → [B·windows,w,w,D]; zeros at the bottom and right where w does not divide G. */
export function partitionWindows (x: tf.Tensor4D, window: number): tf.Tensor4D {
  const [batch, grid, , dim] = x.shape
  const count = Math.ceil(grid / window)
  const more = count * window - grid
  const padded = more === 0 ? x : tf.pad(x, [[0, 0], [0, more], [0, more], [0, 0]])
  const cut = tf.transpose(tf.reshape(padded, [batch, count, window, count, window, dim]), [0, 1, 3, 2, 4, 5])
  return tf.reshape<tf.Rank.R4>(cut, [batch * count * count, window, window, dim])
}

/** The inverse of partitionWindows; the padding is cropped. */
function joinWindows (windows: tf.Tensor4D, batch: number, grid: number): tf.Tensor4D {
  const [, window, , dim] = windows.shape
  const count = Math.ceil(grid / window)
  const joined = tf.reshape<tf.Rank.R4>(tf.transpose(tf.reshape(windows, [batch, count, count, window, window, dim]), [0, 1, 3, 2, 4, 5]), [
    batch,
    count * window,
    count * window,
    dim
  ])
  return count * window === grid ? joined : tf.slice(joined, [0, 0, 0, 0], [batch, grid, grid, dim])
}

/** x [B,n,…,D] → [B·heads, tokens, D/heads]. */
export function splitHeads (x: tf.Tensor, heads: number): tf.Tensor3D {
  const batch = x.shape[0]
  const size = x.shape.at(-1)! / heads
  const tokens = x.size / batch / heads / size
  return tf.reshape(tf.transpose(tf.reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]), [batch * heads, tokens, size])
}

/**
 * What the positions add to the logits of q [..., D], which was multiplied by 1/√size: [B·heads, side², 2·side]. Nothing is masked,
 * padding included (docs/spec/sam.md#relative-positions).
 */
export function places (q: tf.Tensor, side: number, heads: number, weights: TensorRecord, prefix: string): tf.Tensor3D {
  const size = q.shape.at(-1)! / heads
  const [rows, columns] = ['h', 'w'].map((axis) => {
    const table = tf.mul<tf.Tensor2D>(weight(weights, `${prefix}.rel_pos_${axis}`), Math.sqrt(size))
    return relativeTable(table, side)
  }) as [tf.Tensor3D, tf.Tensor3D]
  const added = placesOf(tf.reshape(q, [q.shape[0], side * side, heads, size]), rows, columns)
  return splitHeads(tf.reshape(added, [q.shape[0], side * side, heads * 2 * side]), heads)
}

/** Attention over a square [B,H,H,D], before the windows are joined. */
export function attention (
  x: tf.Tensor4D,
  weights: TensorRecord,
  prefix: string,
  heads: number,
  { loraScale }: AdapterOptions = PLAIN
): tf.Tensor4D {
  const [batch, side, , dim] = x.shape
  const size = dim / heads
  const [q, k, v] = loraQkv(x, weights, `${prefix}.qkv`, loraScale, 1 / Math.sqrt(size))
  const mixed = attend(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads), {
    places: places(q, side, heads, weights, prefix)
  })
  const joined = tf.transpose(tf.reshape(mixed, [batch, heads, side * side, size]), [0, 2, 1, 3])
  return tf.reshape(linear(tf.reshape(joined, [batch * side * side, dim]), weights, `${prefix}.proj`), x.shape)
}

function blockAttention (x: tf.Tensor4D, weights: TensorRecord, config: SamConfig, index: number, options: AdapterOptions): tf.Tensor4D {
  const prefix = `image_encoder.blocks.${index}.attn`
  if (config.globalBlocks.includes(index)) return attention(x, weights, prefix, config.heads, options)
  const windows = attention(partitionWindows(x, config.window), weights, prefix, config.heads, options)
  return joinWindows(windows, x.shape[0], x.shape[1])
}

/** Tokens on their grid [B,G,G,D] and how each block with experts so far sent them. */
export interface Tokens {
  readonly x: tf.Tensor4D
  readonly routing: readonly Routing[]
}

/** One block on x [B,G,G,D]; experts run beside the MLP where the record holds them, `plain` is the result without them. */
export function encoderBlock (
  x: tf.Tensor4D,
  weights: TensorRecord,
  config: SamConfig,
  index: number,
  options: AdapterOptions = PLAIN
): { x: tf.Tensor4D, plain: tf.Tensor4D, routing?: Routing } {
  const prefix = `image_encoder.blocks.${index}`
  const normalised = layerNorm(x, weights, `${prefix}.norm1`, ENCODER_EPS) as tf.Tensor4D
  const seen = blockAttention(normalised, weights, config, index, options)
  const attended = tf.add<tf.Tensor4D>(x, addBottleneck(seen, seen, weights, `${prefix}.adapter_attn`, 1))
  const n = layerNorm(attended, weights, `${prefix}.norm2`, ENCODER_EPS)
  const mlp = linear(gelu(linear(n, weights, `${prefix}.mlp.lin1`)), weights, `${prefix}.mlp.lin2`)
  const plain = tf.add<tf.Tensor4D>(attended, addBottleneck(mlp, n, weights, `${prefix}.adapter_mlp`, BESIDE_MLP))
  if (weights[`${prefix}.lmoe.gate.weight`] == null) return { x: plain, plain }
  const { value, routing } = mixExperts(n, weights, `${prefix}.lmoe`, options)
  return { x: tf.add(plain, value), plain, routing }
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

/** images [B,S,S,3], normalised → tokens with their positions. */
export function embedTokens (images: tf.Tensor4D, weights: TensorRecord, config: SamConfig): Tokens {
  return { x: tf.add(patchEmbed(images, weights, config), weight(weights, 'image_encoder.pos_embed')), routing: [] }
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
