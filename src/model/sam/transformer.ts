import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { layerNorm, linear } from '../blocks/common.ts'
import { loraLinear } from '../blocks/lora.ts'
import { DECODER_DEPTH, DECODER_EPS, DECODER_HEADS } from './build-sam.ts'

const PREFIX = 'mask_decoder.transformer'

/** [heads, 1, inner]: 1 where a channel belongs to the head. */
function headMask (inner: number): tf.Tensor3D {
  const size = inner / DECODER_HEADS
  const mask = Array.from({ length: DECODER_HEADS * inner }, (_, i) => Math.floor(i % inner / size) === Math.floor(i / inner) ? 1 : 0)
  return tf.tensor3d(mask, [DECODER_HEADS, 1, inner])
}

/** x [B,n,inner] → [B, heads·n, inner]: one copy per head, the other heads' channels zero. */
function perHead (x: tf.Tensor, mask: tf.Tensor3D): tf.Tensor3D {
  const [batch, tokens, inner] = x.shape as [number, number, number]
  return tf.reshape(tf.mul(tf.reshape(x, [batch, 1, tokens, inner]), mask), [batch, DECODER_HEADS * tokens, inner])
}

/** Few queries look at many keys: logits, softmax and mixing for all heads at once, then each head's own channels. */
function fewToMany (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor3D): tf.Tensor {
  const [batch, tokens, inner] = q.shape as [number, number, number]
  const mixed = tf.matMul(tf.softmax(tf.matMul(perHead(q, mask), k, false, true)), v)
  return tf.sum(tf.mul(tf.reshape(mixed, [batch, DECODER_HEADS, tokens, inner]), mask), 1)
}

/** Many queries look at few keys. */
function manyToFew (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor3D): tf.Tensor {
  const [batch, tokens] = k.shape as [number, number]
  const logits = tf.reshape(tf.matMul(q, perHead(k, mask), false, true), [batch, q.shape[1]!, DECODER_HEADS, tokens])
  return tf.matMul(tf.reshape(tf.softmax(logits), [batch, q.shape[1]!, DECODER_HEADS * tokens]), perHead(v, mask))
}

/**
 * q [B,n,d], k and v [B,m,d] → [B,n,d]; q and v may carry LoRA. The heads are told apart by masks on the side with fewer tokens:
 * a few more products with zeros, but the image's side is never transposed.
 */
function attend (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, weights: TensorRecord, prefix: string, loraScale: number): tf.Tensor {
  const query = loraLinear(q, weights, `${prefix}.q_proj`, loraScale)
  const key = linear(k, weights, `${prefix}.k_proj`)
  const value = loraLinear(v, weights, `${prefix}.v_proj`, loraScale)
  const inner = query.shape[2]!
  const mask = headMask(inner)
  const few = query.shape[1]! <= key.shape[1]!
  const scale = 1 / Math.sqrt(inner / DECODER_HEADS)
  const mixed = few ? fewToMany(tf.mul(query, scale), key, value, mask) : manyToFew(query, tf.mul(key, scale), value, mask)
  return linear(mixed, weights, `${prefix}.out_proj`)
}

/** Tokens that look at the image (queries [B,n,d]) and the image that looks back (keys [B,G²,d]). */
export interface TwoWay {
  readonly queries: tf.Tensor
  readonly keys: tf.Tensor
}

/** What every layer adds to its inputs of q and k, never to v: the tokens themselves and the grid's positions. */
export interface Positions {
  readonly tokens: tf.Tensor
  readonly grid: tf.Tensor
}

/** Layer 0 or 1; the first attends without residual and without positions (docs/spec/sam.md#mask-decoder). */
export function twoWayLayer (
  { queries, keys }: TwoWay,
  { tokens, grid }: Positions,
  weights: TensorRecord,
  layer: number,
  loraScale = 1
): TwoWay {
  const prefix = `${PREFIX}.layers.${layer}`
  const norm = (x: tf.Tensor, n: number): tf.Tensor => layerNorm(x, weights, `${prefix}.norm${n}`, DECODER_EPS)
  const self = `${prefix}.self_attn`
  const place = tf.add(queries, tokens)
  let q = layer === 0
    ? norm(attend(queries, queries, queries, weights, self, loraScale), 1)
    : norm(tf.add(queries, attend(place, place, queries, weights, self, loraScale)), 1)
  const placedKeys = tf.add(keys, grid)
  q = norm(tf.add(q, attend(tf.add(q, tokens), placedKeys, keys, weights, `${prefix}.cross_attn_token_to_image`, loraScale)), 2)
  q = norm(tf.add(q, linear(tf.relu(linear(q, weights, `${prefix}.mlp.lin1`)), weights, `${prefix}.mlp.lin2`)), 3)
  const k = norm(tf.add(keys, attend(placedKeys, tf.add(q, tokens), q, weights, `${prefix}.cross_attn_image_to_token`, loraScale)), 4)
  return { queries: q, keys: k }
}

/** tokens [B,n,d], image [B,G²,d], grid positions [1,G²,d] → tokens and image after all layers. */
export function twoWayTransformer (tokens: tf.Tensor, image: tf.Tensor, grid: tf.Tensor, weights: TensorRecord, loraScale = 1): TwoWay {
  let state: TwoWay = { queries: tokens, keys: image }
  for (let layer = 0; layer < DECODER_DEPTH; layer++) state = twoWayLayer(state, { tokens, grid }, weights, layer, loraScale)
  const { queries, keys } = state
  const last = attend(tf.add(queries, tokens), tf.add(keys, grid), keys, weights, `${PREFIX}.final_attn_token_to_image`, loraScale)
  return { queries: layerNorm(tf.add(queries, last), weights, `${PREFIX}.norm_final_attn`, DECODER_EPS), keys }
}
