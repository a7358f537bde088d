import * as tf from '@tensorflow/tfjs-core'
import { bceLoss, diceLoss, supervisedLoss } from '../../../../src/model/objectives/supervised.ts'
import { samConfig } from '../../../../src/model/sam/build-sam.ts'
import { samForward } from '../../../../src/model/sam/sam.ts'
import { compute, expectClose, expectCloseRelative, golden, nhwc, tinyWeights } from '../golden.ts'

const TRAINED = [
  'image_encoder.pos_embed',
  'image_encoder.blocks.0.norm1.weight',
  'image_encoder.blocks.0.attn.qkv.weight',
  'image_encoder.blocks.0.attn.qkv.bias',
  'image_encoder.blocks.0.attn.rel_pos_h',
  'image_encoder.blocks.2.attn.rel_pos_h',
  'image_encoder.blocks.2.attn.rel_pos_w',
  'image_encoder.blocks.2.attn.qkv.weight',
  'image_encoder.blocks.3.mlp.lin2.weight',
  'image_encoder.neck.0.weight',
  'image_encoder.neck.3.bias',
  'prompt_encoder.no_mask_embed.weight',
  'mask_decoder.mask_tokens.weight',
  'mask_decoder.transformer.layers.0.self_attn.v_proj.weight',
  'mask_decoder.transformer.layers.1.cross_attn_image_to_token.q_proj.weight',
  'mask_decoder.transformer.layers.1.norm4.weight',
  'mask_decoder.output_upscaling.0.weight',
  'mask_decoder.output_upscaling.3.weight',
  'mask_decoder.output_hypernetworks_mlps.0.layers.1.weight'
]

describe('loss and gradients against the reference', () => {
  it('agrees in every stored value', async () => {
    const config = samConfig('golden-128')
    const inputs = { ...tinyWeights, image: nhwc(golden('in.image')), target: golden('in.target') }
    const outputs = await compute(inputs, (t) => {
      const logits = (trained: tf.Tensor[]): tf.Tensor => {
        const weights = { ...t, ...Object.fromEntries(TRAINED.map((name, i) => [name, trained[i]!])) }
        return samForward(weights, config, t['image'] as tf.Tensor4D, {}, { maps: [0] }).masks
      }
      const start = TRAINED.map((name) => t[name]!)
      const { value, grads } = tf.valueAndGrads((...trained) => supervisedLoss(logits(trained), t['target']!))(start)
      const z = logits(start)
      return {
        total: value,
        bce: bceLoss(z, t['target']!),
        dice: diceLoss(z, t['target']!),
        ...Object.fromEntries(TRAINED.map((name, i) => [name, grads[i]!]))
      }
    })
    for (const name of ['total', 'bce', 'dice']) expectClose(outputs[name], golden(`loss.${name}`), 1e-6)
    for (const name of TRAINED) expectCloseRelative(outputs[name], golden(`grad.${name}`), 5e-5)
  })
})
