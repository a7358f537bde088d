import * as tf from '@tensorflow/tfjs-core'
import { attend, gelu, type TensorRecord } from '../../compute/index.ts'
import { addBottleneck, BESIDE_MLP } from '../blocks/bottleneck.ts'
import { affine, layerNorm, linear, weight } from '../blocks/common.ts'
import { mixExperts } from '../blocks/experts.ts'
import { loraQkv } from '../blocks/lora.ts'
import { ENCODER_EPS, gridSide, type VitConfig } from './build-sam.ts'
import { PLAIN, type AdapterOptions, type BlockOutput, type EncoderGraph } from './encoder-graph.ts'
import { placesOf, relativeTable } from './relative-position.ts'
import { joinWindows, partitionWindows, splitHeads } from './windows.ts'

/** images [B,S,S,3] → [B,G,G,D], before the position embedding: the patches as rows of one matrix product. */
export function patchEmbed (images: tf.Tensor4D, weights: TensorRecord, config: VitConfig): tf.Tensor4D {
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

function blockAttention (x: tf.Tensor4D, weights: TensorRecord, config: VitConfig, index: number, options: AdapterOptions): tf.Tensor4D {
  const prefix = `image_encoder.blocks.${index}.attn`
  if (config.globalBlocks.includes(index)) return attention(x, weights, prefix, config.heads, options)
  const windows = attention(partitionWindows(x, config.window), weights, prefix, config.heads, options)
  return joinWindows(windows, x.shape[0], x.shape[1])
}

/** One block on x [B,G,G,D]. */
function block (
  x: tf.Tensor4D,
  weights: TensorRecord,
  config: VitConfig,
  index: number,
  options: AdapterOptions
): BlockOutput {
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

/** images [B,S,S,3] → patches with their positions, and then blocks of one width (docs/spec/sam.md#image-encoder). */
export const vit: EncoderGraph<VitConfig> = {
  patches: patchEmbed,
  placed: (patches, weights) => tf.add(patches, weight(weights, 'image_encoder.pos_embed')),
  block
}
