import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { HostTensor, TensorRecord } from '../../../../src/compute/index.ts'
import { layerNorm, linear, weight } from '../../../../src/model/blocks/common.ts'
import { PLAIN } from '../../../../src/model/sam/encoder-graph.ts'
import { embedTokens, encoderBlock, neck, runBlocks } from '../../../../src/model/sam/image-encoder.ts'
import { convolutionBlock, expandBiases, pixelEmbed, windowAttention } from '../../../../src/model/sam/tiny-vit.ts'
import { partitionWindows, splitHeads } from '../../../../src/model/sam/windows.ts'
import { compute, expectClose } from '../golden.ts'
import { liteConfig, liteGolden, liteWeights, sampled, stored, synth } from './lite-golden.ts'

/** What of docs/spec/litemedsam.md#tolerances a stored point has. */
function tolerance (name: string): number {
  if (name.startsWith('patch_embed')) return 1e-5
  if (name.startsWith('neck.3')) return 3e-5
  if (name.startsWith('neck.1')) return 5e-5
  return /neck\.0|layers\.2\.downsample/.test(name) ? 2e-4 : 1e-4
}

function expectPoints (outputs: Record<string, HostTensor>, prefix: string): void {
  for (const [name, tensor] of Object.entries(outputs)) {
    expectClose(sampled(tensor, name === 'neck.3'), liteGolden(`${prefix}.${name}`), tolerance(name))
  }
}

/** Every point of the encoder that the reference's file has, those before a stage's merge by a model without merges. */
function points (t: TensorRecord, side: number): Record<string, tf.Tensor> {
  const config = liteConfig(side)
  const bare = { ...config, stages: config.stages.map(({ reduction: _, ...stage }) => stage) }
  const names = config.stages.flatMap(({ blocks }, s) => Array.from({ length: blocks }, (_, i) => `layers.${s + 1}.blocks.${i}`))
  const found: Record<string, tf.Tensor> = {}
  const seq = linear(t['image']!, t, 'image_encoder.patch_embed.seq.0')
  found['patch_embed.seq.0'] = seq
  let early = found['patch_embed'] = pixelEmbed(t['image'] as tf.Tensor4D, t)
  for (const name of ['layers.0.blocks.0', 'layers.0.blocks.1']) {
    early = found[name] = convolutionBlock(early, t, `image_encoder.${name}`)
  }
  let { x } = embedTokens(t['image'] as tf.Tensor4D, t, config)
  found['layers.0.downsample'] = x
  names.forEach((name, index) => {
    found[name] = encoderBlock(x, t, bare, index).x
    x = encoderBlock(x, t, config, index).x
    if (index === 1 || index === 7) found[name.replace(/blocks.*/, 'downsample')] = x
  })
  const narrow = linear(x, t, 'image_encoder.neck.0')
  found['neck.0'] = narrow
  found['neck.1'] = layerNorm(narrow, t, 'image_encoder.neck.1', 1e-6)
  found['neck.3'] = neck(x, t)
  return found
}

describe('the encoder of LiteMedSAM against the reference', function () {
  this.timeout(120_000)

  it('agrees at every stored point', async () => {
    const outputs = await compute({ ...liteWeights(), image: synth(256) }, (t) => points(t, 256))
    expect(Object.keys(outputs)).to.have.length(20)
    expectPoints(outputs, 'synth')
  })

  for (const side of [64, 112]) {
    it(`at ${side} pixels`, async () => {
      const all = await compute({ ...liteWeights(), image: synth(side) }, (t) => points(t, side))
      const names = ['patch_embed', 'layers.0.downsample', 'layers.1.downsample', 'layers.2.downsample', 'layers.3.blocks.1', 'neck.3']
      expectPoints(Object.fromEntries(names.map((name) => [name, all[name]!])), `size${side}`)
    })
  }

  for (const name of ['nuclei', 'colin']) {
    it(`embeds ${name}`, async () => {
      const image = stored(name === 'nuclei' ? 'in.nuclei_u8' : 'in.colin_resized_u8')
      const config = liteConfig()
      const outputs = await compute({ ...liteWeights(), image }, (t) => {
        const { x } = runBlocks(embedTokens(t['image'] as tf.Tensor4D, t, config), t, config, 0, 10)
        return { 'neck.3': neck(x, t) }
      })
      expectPoints(outputs, name)
    })
  }

  it('takes padding into its windows as the reference does', async () => {
    const config = liteConfig()
    const outputs = await compute({ ...liteWeights(), image: synth(256) }, (t) => {
      const tokens = embedTokens(t['image'] as tf.Tensor4D, t, config)
      const all = [[1, 0, 7], [2, 2, 14]] as const
      return Object.fromEntries(all.flatMap(([stage, block, window]) => {
        const windows = partitionWindows(runBlocks(tokens, t, config, 0, block, PLAIN).x, window)
        return (['first', 'last'] as const).flatMap((which) => {
          const x = tf.slice(windows, which === 'first' ? 0 : windows.shape[0] - 1, 1)
          return Object.entries(insideAttention(x, t, stage)).map(([name, value]) => [`${stage}.${which}.${name}`, value])
        })
      }))
    })
    for (const [key, tensor] of Object.entries(outputs)) {
      const expected = liteGolden(`attn.layers.${key}`)
      expectClose(inside(tensor, expected.shape, key), expected, 1e-4)
    }
  })
})

/** Norm, logits and outcome of one window. */
function insideAttention (x: tf.Tensor4D, t: TensorRecord, stage: 1 | 2): Record<string, tf.Tensor> {
  const prefix = `image_encoder.layers.${stage}.blocks.0.attn`
  const { heads, window, dim } = liteConfig().stages[stage - 1]!
  const norm = tf.reshape(layerNorm(x, t, `${prefix}.norm`, 1e-5), [window ** 2, dim])
  const qkv = linear(norm, t, `${prefix}.qkv`)
  const [q, k] = tf.split(qkv, 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D]
  const products = tf.matMul(splitHeads(tf.expandDims(q, 0), heads), splitHeads(tf.expandDims(k, 0), heads), false, true)
  const biases = expandBiases(weight(t, `${prefix}.attention_biases`), window)
  const out = tf.reshape(windowAttention(x, t, prefix, heads, PLAIN), [window ** 2, dim])
  return { norm, out, logits: tf.add(tf.div(products, Math.sqrt(32)), biases) }
}

/** Tokens 0::7 of wide windows, every 4th channel; logits 0::7 both ways but of one whole window. */
function inside ({ shape, data }: HostTensor, expected: readonly number[], key: string): HostTensor {
  const [rows, columns] = shape.slice(-2) as [number, number]
  const isLogits = key.endsWith('logits')
  const [down, across] = [Math.round(rows / expected.at(-2)!), isLogits ? Math.round(columns / expected.at(-1)!) : 4]
  const values: number[] = []
  for (let at = 0; at < data.length; at += columns) {
    if (at / columns % rows % down !== 0) continue
    for (let c = 0; c < columns; c += across) values.push(data[at + c]!)
  }
  return { shape: expected, data: Float32Array.from(values) }
}
