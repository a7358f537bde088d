import * as tf from '@tensorflow/tfjs-core'
import { gelu, type TensorRecord } from '../../compute/index.ts'
import { asRows, layerNorm, reluMlp, weight } from '../blocks/common.ts'
import { CHANNEL_EPS, MASK_TOKENS } from './build-sam.ts'
import { twoWayTransformer, type TwoWay } from './transformer.ts'

export interface DecoderInput {
  /** [B,G,G,d] */
  readonly embedding: tf.Tensor4D
  /** [1,G,G,d] */
  readonly positions: tf.Tensor4D
  /** [B,n,d] */
  readonly sparse: tf.Tensor3D | undefined
  /** [B or 1, G or 1, G or 1, d] */
  readonly dense: tf.Tensor4D
}

/** Transposed convolution with kernel = stride = 2, [B,H,W,C] → [B,2H,2W,O]: without overlap it is one matrix product. */
function spread2 (x: tf.Tensor4D, weights: TensorRecord, prefix: string): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape
  const kernel = weight(weights, `${prefix}.weight`)
  const out = kernel.shape[1]!
  const matrix = tf.reshape(tf.transpose(kernel, [0, 2, 3, 1]), [channels, 4 * out])
  const cells = tf.reshape(tf.matMul(asRows(x), matrix), [batch, height, width, 2, 2, out])
  const joined = tf.reshape(tf.transpose(cells, [0, 1, 3, 2, 4, 5]), [batch, 2 * height, 2 * width, out])
  return tf.add(joined, weight(weights, `${prefix}.bias`))
}

/** Tokens: IoU, four masks, then the prompt's. */
export function outputTokens (weights: TensorRecord, sparse: tf.Tensor3D | undefined, batch: number): tf.Tensor3D {
  const own = tf.concat([weight(weights, 'mask_decoder.iou_token.weight'), weight(weights, 'mask_decoder.mask_tokens.weight')], 0)
  const tiled = tf.tile<tf.Tensor3D>(tf.reshape(own, [1, 1 + MASK_TOKENS, own.shape[1]!]), [batch, 1, 1])
  return sparse == null ? tiled : tf.concat([tiled, sparse], 1)
}

/** Both sides of the two-way transformer for this input. */
export function mixTokens (weights: TensorRecord, { embedding, positions, sparse, dense }: DecoderInput, loraScale = 1): TwoWay {
  const [batch, grid, , width] = embedding.shape
  const image = tf.reshape(tf.add(embedding, dense), [batch, grid * grid, width])
  return twoWayTransformer(outputTokens(weights, sparse, batch), image, tf.reshape(positions, [1, grid * grid, width]), weights, loraScale)
}

/** keys [B,G²,d] → [B,4G,4G,d/8]. */
export function upscale (weights: TensorRecord, keys: tf.Tensor, grid: number): tf.Tensor4D {
  const prefix = 'mask_decoder.output_upscaling'
  const [batch, , width] = keys.shape as [number, number, number]
  const first = spread2(tf.reshape(keys, [batch, grid, grid, width]), weights, `${prefix}.0`)
  const middle = gelu(layerNorm(first, weights, `${prefix}.1`, CHANNEL_EPS)) as tf.Tensor4D
  return gelu(spread2(middle, weights, `${prefix}.3`)) as tf.Tensor4D
}

/**
 * Mask maps `wanted` as logits [B,maps,4G,4G], IoU estimates [B,4], and the features [B,4G,4G,d/8] that the masks are made of
 * (docs/spec/sam.md#mask-decoder).
 */
export function decodeMasks (
  weights: TensorRecord,
  input: DecoderInput,
  { loraScale = 1, maps = [0, 1, 2, 3] }: { loraScale?: number, maps?: readonly number[] } = {}
): { masks: tf.Tensor4D, iou: tf.Tensor2D, picture: tf.Tensor4D } {
  const [batch, grid, , width] = input.embedding.shape
  const { queries, keys } = mixTokens(weights, input, loraScale)
  const token = (index: number): tf.Tensor => tf.reshape(tf.slice(queries, [0, index, 0], [batch, 1, width]), [batch, width])
  const filters = tf.stack(maps.map((m) => reluMlp(token(1 + m), weights, `mask_decoder.output_hypernetworks_mlps.${m}`, 3)), 1)
  const picture = upscale(weights, keys, grid)
  const [, side, , channels] = picture.shape
  const masks = tf.matMul(filters, tf.reshape(picture, [batch, side * side, channels]), false, true)
  return {
    masks: tf.reshape(masks, [batch, maps.length, side, side]),
    iou: reluMlp(token(0), weights, 'mask_decoder.iou_prediction_head', 3) as tf.Tensor2D,
    picture
  }
}
