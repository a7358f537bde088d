import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import { loraLinear } from '../adapters/lora.ts'
import { DECODER_DEPTH, DECODER_EPS, DECODER_HEADS } from './build-sam.ts'
import { layerNorm, linear } from './common.ts'

const PREFIX = 'mask_decoder.transformer'

function heads (x: tf.Tensor): tf.Tensor4D {
  const [batch, tokens, width] = x.shape as [number, number, number]
  return tf.transpose(tf.reshape(x, [batch, tokens, DECODER_HEADS, width / DECODER_HEADS]), [0, 2, 1, 3])
}

/** q [B,n,d], k and v [B,m,d] → [B,n,d]; q and v may carry LoRA. */
function attend (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, weights: TensorRecord, prefix: string, loraScale: number): tf.Tensor {
  const query = heads(loraLinear(q, weights, `${prefix}.q_proj`, loraScale))
  const size = query.shape[3]
  const key = heads(linear(k, weights, `${prefix}.k_proj`))
  const value = heads(loraLinear(v, weights, `${prefix}.v_proj`, loraScale))
  const logits = tf.matMul(tf.mul(query, 1 / Math.sqrt(size)), key, false, true)
  const mixed = tf.transpose(tf.matMul(tf.softmax(logits), value), [0, 2, 1, 3])
  return linear(tf.reshape(mixed, [q.shape[0], q.shape[1]!, DECODER_HEADS * size]), weights, `${prefix}.out_proj`)
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

/** Layer 0 or 1; the first attends without residual and without positions (SAM_SPEC §1.6). */
export function twoWayLayer ({ queries, keys }: TwoWay, { tokens, grid }: Positions, weights: TensorRecord, layer: number, loraScale = 1): TwoWay {
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
