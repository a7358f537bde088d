import * as tf from '@tensorflow/tfjs-core'
import { gelu, type TensorRecord } from '../../compute/index.ts'
import { affine, layerNorm, linear, weight } from '../blocks/common.ts'
import { CHANNEL_EPS, gridSide, type SamConfig } from './build-sam.ts'
import { FOURIER_MATRIX } from './naming.ts'

/** What a point's label says; a box is a pair of points with the two corner labels, padding stands for "no point". */
export const LABEL = { padding: -1, background: 0, foreground: 1, topLeft: 2, bottomRight: 3 } as const

/** One prompt per item of the batch, in pixels (x, y) of the resized image. */
export interface Prompts {
  /** coordinates [P,n,2], labels [P,n] float32 with the values of LABEL. */
  readonly points?: { readonly coordinates: tf.Tensor3D, readonly labels: tf.Tensor2D }
  /** As points, but complete: no padding point is added, so that one compiled step serves (point, padding) and (corner, corner). */
  readonly tokens?: { readonly coordinates: tf.Tensor3D, readonly labels: tf.Tensor2D }
  /** [P,4] as x0, y0, x1, y1. */
  readonly boxes?: tf.Tensor2D
  /** Logits [P,4G,4G]. */
  readonly mask?: tf.Tensor3D
  /** How far the mask counts, [1]: 1 if not given, 0 as if there were none, so that one compiled step serves both. */
  readonly maskWeight?: tf.Tensor1D
}

/** Coordinates [..., 2] in [0, 1] → sines and cosines [rows, d]. */
function fourier (unit: tf.Tensor, weights: TensorRecord): tf.Tensor2D {
  const angle = tf.mul(
    tf.matMul(tf.sub(tf.mul(tf.reshape(unit, [-1, 2]), 2), 1), weight(weights, FOURIER_MATRIX) as tf.Tensor2D),
    2 * Math.PI
  )
  return tf.concat([tf.sin(angle), tf.cos(angle)], 1) as tf.Tensor2D
}

/** Positional encoding of the grid's cell centres, [1,G,G,d]. */
export function densePositions (weights: TensorRecord, config: SamConfig): tf.Tensor4D {
  const grid = gridSide(config)
  const centres = Array.from({ length: grid * grid }, (_, i) => [(i % grid + 0.5) / grid, (Math.floor(i / grid) + 0.5) / grid])
  return tf.reshape(fourier(tf.tensor2d(centres), weights), [1, grid, grid, config.width])
}

/** Tokens [P,n,d] of labelled points: a padding point's position counts for nothing (docs/spec/sam.md#prompt-encoder). */
function embedPoints (coordinates: tf.Tensor3D, labels: tf.Tensor2D, weights: TensorRecord, config: SamConfig): tf.Tensor3D {
  const positions = fourier(tf.div(tf.add(coordinates, 0.5), config.imageSize), weights)
  const flat = tf.reshape(labels, [-1, 1])
  const placed = tf.mul(positions, tf.cast(tf.notEqual(flat, LABEL.padding), 'float32'))
  const kinds = tf.cast(tf.equal(flat, tf.tensor2d([Object.values(LABEL)])), 'float32')
  const table = tf.concat([
    weight(weights, 'prompt_encoder.not_a_point_embed.weight'),
    ...[0, 1, 2, 3].map((n) => weight(weights, `prompt_encoder.point_embeddings.${n}.weight`))
  ], 0)
  return tf.reshape(tf.add(placed, tf.matMul(kinds, table)), [coordinates.shape[0], coordinates.shape[1], config.width])
}

function withPadding ({ coordinates, labels }: NonNullable<Prompts['points']>): NonNullable<Prompts['points']> {
  const count = coordinates.shape[0]
  return {
    coordinates: tf.concat([coordinates, tf.zeros<tf.Rank.R3>([count, 1, 2])], 1),
    labels: tf.concat([labels, tf.fill<tf.Rank.R2>([count, 1], LABEL.padding)], 1)
  }
}

function boxCorners (boxes: tf.Tensor2D): NonNullable<Prompts['points']> {
  const count = boxes.shape[0]
  const labels = Array.from({ length: count }, () => [LABEL.topLeft, LABEL.bottomRight])
  return { coordinates: tf.reshape(boxes, [count, 2, 2]), labels: tf.tensor2d(labels, [count, 2], 'float32') }
}

/** Sparse tokens [P,n,d], or undefined for none. Points without a box get one padding point, as in the original. */
export function encodeSparse (weights: TensorRecord, config: SamConfig, { points, tokens, boxes }: Prompts): tf.Tensor3D | undefined {
  const parts = [
    ...(tokens == null ? [] : [tokens]),
    ...(points == null ? [] : [boxes == null ? withPadding(points) : points]),
    ...(boxes == null ? [] : [boxCorners(boxes)])
  ]
  if (parts.length === 0) return undefined
  return embedPoints(tf.concat(parts.map((part) => part.coordinates), 1), tf.concat(parts.map((part) => part.labels), 1), weights, config)
}

/** Convolution with kernel = stride = 2 on [P,H,W,C]: each 2×2 cell is one row of a matrix product. */
function convolve2 (x: tf.Tensor4D, weights: TensorRecord, prefix: string): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape
  const kernel = weight(weights, `${prefix}.weight`)
  const cells = tf.transpose(tf.reshape(x, [batch, height / 2, 2, width / 2, 2, channels]), [0, 1, 3, 2, 4, 5])
  const flat = tf.reshape(cells, [batch, height / 2, width / 2, 4 * channels])
  return affine(flat, tf.transpose(kernel, [0, 2, 3, 1]), weight(weights, `${prefix}.bias`)) as tf.Tensor4D
}

/** Dense embedding: of the mask prompt [P,G,G,d], or [1,1,1,d] to be broadcast when there is none. */
export function encodeDense (weights: TensorRecord, { mask, maskWeight }: Prompts): tf.Tensor4D {
  const none = weight(weights, 'prompt_encoder.no_mask_embed.weight')
  const nowhere = tf.reshape<tf.Rank.R4>(none, [1, 1, 1, none.size])
  if (mask == null) return nowhere
  const prefix = 'prompt_encoder.mask_downscaling'
  const first = gelu(layerNorm(convolve2(tf.expandDims(mask, 3), weights, `${prefix}.0`), weights, `${prefix}.1`, CHANNEL_EPS))
  const second = gelu(layerNorm(convolve2(first as tf.Tensor4D, weights, `${prefix}.3`), weights, `${prefix}.4`, CHANNEL_EPS))
  const dense = linear(second, weights, `${prefix}.6`) as tf.Tensor4D
  return maskWeight == null ? dense : tf.add(tf.mul(dense, maskWeight), tf.mul(nowhere, tf.sub(1, maskWeight)))
}
