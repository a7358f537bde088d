import * as tf from '@tensorflow/tfjs-core'
import { attentionLogits } from '../../../../src/compute/attention.ts'
import { layerNorm, linear } from '../../../../src/model/blocks/common.ts'
import { loraQkv } from '../../../../src/model/blocks/lora.ts'
import { ENCODER_EPS, samConfig, type VitConfig } from '../../../../src/model/sam/build-sam.ts'
import { embedTokens, encodeImage, encoderBlock, neck } from '../../../../src/model/sam/image-encoder.ts'
import { relativeTable } from '../../../../src/model/sam/relative-position.ts'
import { attention, patchEmbed, places } from '../../../../src/model/sam/vit.ts'
import { partitionWindows, splitHeads } from '../../../../src/model/sam/windows.ts'
import { compute, expectClose, golden, items, nhwc, tinyWeights } from '../golden.ts'

const config = samConfig('golden-128') as VitConfig
const image = nhwc(golden('in.image'))

describe('image encoder against the reference', () => {
  it('embeds patches', async () => {
    const { y } = await compute({ ...tinyWeights, image }, (t) => ({ y: patchEmbed(t['image'] as tf.Tensor4D, t, config) }))
    expectClose(y, golden('enc.patch_embed'), 4e-5)
  })

  it('cuts windows after the norm, with unmasked zeros as padding', async () => {
    const { windows, mixed, norm } = await compute({ ...tinyWeights, patches: golden('enc.patch_embed') }, (t) => {
      const x = tf.add(t['patches']!, t['image_encoder.pos_embed']!)
      const n = layerNorm(x, t, 'image_encoder.blocks.0.norm1', ENCODER_EPS) as tf.Tensor4D
      const all = partitionWindows(n, 7)
      const first = tf.slice(all, 0, 4)
      return { norm: n, windows: first, mixed: attention(first, t, 'image_encoder.blocks.0.attn', 3) }
    })
    expectClose(norm, golden('enc.block0.norm1'), 4e-5)
    expectClose(windows, golden('enc.block0.windows'), 4e-5)
    expectClose(mixed, golden('enc.block0.attn_windows'), 4e-5)
  })

  it('adds decomposed relative positions of the unscaled query', async () => {
    const outputs = await compute({ ...tinyWeights, x: golden('enc.block1') }, (t) => {
      const prefix = 'image_encoder.blocks.2'
      const n = tf.slice(layerNorm(t['x']!, t, `${prefix}.norm1`, ENCODER_EPS), 0, 1) as tf.Tensor4D
      const [q, k] = loraQkv(n, t, `${prefix}.attn.qkv`, 1, 1 / Math.sqrt(32))
      return {
        rows: relativeTable(t[`${prefix}.attn.rel_pos_h`] as tf.Tensor2D, 8),
        columns: relativeTable(t[`${prefix}.attn.rel_pos_w`] as tf.Tensor2D, 8),
        logits: attentionLogits(splitHeads(q, 3), splitHeads(k, 3), places(q, 8, 3, t, `${prefix}.attn`)),
        mixed: attention(n, t, `${prefix}.attn`, 3)
      }
    })
    expectClose(outputs['rows'], golden('enc.block2.Rh'), 0)
    expectClose(outputs['columns'], golden('enc.block2.Rw'), 0)
    expectClose(outputs['logits'], golden('enc.block2.logits_img0'), 4e-5)
    expectClose(outputs['mixed'], golden('enc.block2.attn_out'), 4e-5)
  })

  it('matches after every block, through the neck and at its end', async () => {
    const outputs = await compute({ ...tinyWeights, image }, (t) => {
      const blocks: Record<string, tf.Tensor4D> = {}
      let { x } = embedTokens(t['image'] as tf.Tensor4D, t, config)
      for (let i = 0; i < 4; i++) {
        x = encoderBlock(x, t, config, i).x
        blocks[`block${i}`] = x
      }
      const narrow = linear(tf.slice(x, 0, 1), t, 'image_encoder.neck.0')
      return {
        ...blocks,
        neck0: narrow,
        neck1: layerNorm(narrow, t, 'image_encoder.neck.1', 1e-6),
        end: neck(x, t),
        whole: encodeImage(t, config, t['image'] as tf.Tensor4D).embedding
      }
    })
    for (let i = 0; i < 4; i++) expectClose(outputs[`block${i}`], golden(`enc.block${i}`), 4e-5)
    expectClose(outputs['neck0'], nhwc(golden('enc.neck0')), 4e-5)
    expectClose(outputs['neck1'], nhwc(golden('enc.neck1')), 4e-5)
    expectClose(outputs['end'], nhwc(golden('enc.out')), 3e-5)
    expectClose(outputs['whole'], nhwc(golden('enc.out')), 3e-5)
  })

  it('treats each image of a batch alone', async () => {
    const { y } = await compute(
      { ...tinyWeights, image: items(image, 1, 2) },
      (t) => ({ y: encodeImage(t, config, t['image'] as tf.Tensor4D).embedding })
    )
    expectClose(y, items(nhwc(golden('enc.out')), 1, 2), 3e-5)
  })
})
