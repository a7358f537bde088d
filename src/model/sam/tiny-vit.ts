import * as tf from '@tensorflow/tfjs-core'
import { attend, gelu, type TensorRecord } from '../../compute/index.ts'
import { addBottleneck, BESIDE_MLP } from '../blocks/bottleneck.ts'
import { layerNorm, linear, weight } from '../blocks/common.ts'
import { depthwise } from '../blocks/depthwise.ts'
import { mixExperts } from '../blocks/experts.ts'
import { loraQkv } from '../blocks/lora.ts'
import type { TinyVitConfig } from './build-sam.ts'
import type { AdapterOptions, BlockOutput, EncoderGraph } from './encoder-graph.ts'
import { blockName, placeOf } from './tiny-vit-plan.ts'
import { joinWindows, partitionWindows, splitHeads } from './windows.ts'

const EPS = 1e-5

/** 1×1, 3×3 per channel, 1×1, with GELU between: fewer tokens where the stride is 2, more channels. */
function merge (x: tf.Tensor4D, weights: TensorRecord, prefix: string, stride: 1 | 2): tf.Tensor4D {
  const wide = gelu(linear(x, weights, `${prefix}.conv1`)) as tf.Tensor4D
  return linear(gelu(depthwise(wide, weights, `${prefix}.conv2`, stride)), weights, `${prefix}.conv3`) as tf.Tensor4D
}

/** A merge that keeps side and width, added to what it is made of. */
export function convolutionBlock (x: tf.Tensor4D, weights: TensorRecord, prefix: string): tf.Tensor4D {
  return gelu(tf.add(x, merge(x, weights, prefix, 1))) as tf.Tensor4D
}

/** images [B,S,S,3], normalised → [B,S,S,C]: every pixel for itself. */
export function pixelEmbed (images: tf.Tensor4D, weights: TensorRecord): tf.Tensor4D {
  const prefix = 'image_encoder.patch_embed.seq'
  return linear(gelu(linear(images, weights, `${prefix}.0`)), weights, `${prefix}.2`) as tf.Tensor4D
}

/** The same → [B,S/2,S/2,D]. */
function embed (images: tf.Tensor4D, weights: TensorRecord, { stem }: TinyVitConfig): tf.Tensor4D {
  const prefix = 'image_encoder.layers.0'
  let x = pixelEmbed(images, weights)
  for (let i = 0; i < stem.blocks; i++) x = convolutionBlock(x, weights, `${prefix}.blocks.${i}`)
  return merge(x, weights, `${prefix}.downsample`, 2)
}

/** [side², side]: one-hot of how far two places on one axis are apart. */
function distances (side: number): tf.Tensor2D {
  const pick = new Float32Array(side ** 3)
  for (let a = 0; a < side; a++) for (let b = 0; b < side; b++) pick[(a * side + b) * side + Math.abs(a - b)] = 1
  return tf.tensor2d(pick, [side * side, side])
}

/** A table [heads, side²] of how far keys are apart in rows and columns → [heads, side², side²], query by key. */
export function expandBiases (table: tf.Tensor, side: number): tf.Tensor3D {
  const heads = table.shape[0]
  const pick = tf.tile(tf.expandDims(distances(side)), [heads, 1, 1])
  const rows = tf.matMul(pick, tf.reshape(table, [heads, side, side]))
  const all = tf.reshape(tf.matMul(rows, pick, false, true), [heads, side, side, side, side])
  return tf.reshape(tf.transpose(all, [0, 1, 3, 2, 4]), [heads, side * side, side * side])
}

/** Attention over windows [B,w,w,D] with its own norm: padding is normed like all else and is not masked. */
export function windowAttention (
  x: tf.Tensor4D,
  weights: TensorRecord,
  prefix: string,
  heads: number,
  { loraScale }: Pick<AdapterOptions, 'loraScale'>
): tf.Tensor4D {
  const [batch, side, , dim] = x.shape
  const size = dim / heads
  const n = layerNorm(x, weights, `${prefix}.norm`, EPS)
  const [q, k, v] = loraQkv(n, weights, `${prefix}.qkv`, loraScale, 1 / Math.sqrt(size))
  const mixed = attend(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads), {
    biases: expandBiases(weight(weights, `${prefix}.attention_biases`), side)
  })
  const joined = tf.transpose(tf.reshape(mixed, [batch, heads, side * side, size]), [0, 2, 1, 3])
  return tf.reshape(linear(tf.reshape(joined, [batch * side * side, dim]), weights, `${prefix}.proj`), x.shape)
}

/** One block on x [B,H,H,D] and, after a stage's last, the stage's merge. */
function block (x: tf.Tensor4D, weights: TensorRecord, config: TinyVitConfig, index: number, options: AdapterOptions): BlockOutput {
  const place = placeOf(config, index)
  const { name, isLast, stage: { heads, window, reduction } } = place
  const prefix = blockName(place)
  const windows = windowAttention(partitionWindows(x, window), weights, `${prefix}.attn`, heads, options)
  const seen = joinWindows(windows, x.shape[0], x.shape[1])
  const attended = tf.add<tf.Tensor4D>(x, addBottleneck(seen, seen, weights, `${prefix}.adapter_attn`, 1))
  const local = depthwise(attended, weights, `${prefix}.local_conv`)
  const n = layerNorm(local, weights, `${prefix}.mlp.norm`, EPS)
  const mlp = linear(gelu(linear(n, weights, `${prefix}.mlp.fc1`)), weights, `${prefix}.mlp.fc2`)
  const plain = tf.add<tf.Tensor4D>(local, addBottleneck(mlp, n, weights, `${prefix}.adapter_mlp`, BESIDE_MLP))
  const end = (y: tf.Tensor4D): tf.Tensor4D =>
    isLast && reduction != null ? merge(y, weights, `${name}.downsample`, reduction) : y
  if (weights[`${prefix}.lmoe.gate.weight`] == null) {
    const y = end(plain)
    return { x: y, plain: y }
  }
  const { value, routing } = mixExperts(n, weights, `${prefix}.lmoe`, options)
  return { x: end(tf.add(plain, value)), plain: end(plain), routing }
}

/** Convolutions on the whole picture, then blocks with attention in windows (docs/spec/litemedsam.md#image-encoder). */
export const tinyVit: EncoderGraph<TinyVitConfig> = { patches: embed, placed: (patches) => patches, block }
