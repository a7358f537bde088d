import type * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { elementCount } from '../../../../src/adapter/schema.ts'
import { SchemaError } from '../../../../src/errors.ts'
import type { Fitted } from '../../../../src/dataset/index.ts'
import { expertTensors } from '../../../../src/model/parameters/expert-set.ts'
import { embedTokens, neck, runBlocks } from '../../../../src/model/sam/image-encoder.ts'
import { encoderPlan } from '../../../../src/model/sam/encoder-plan.ts'
import { parameterCount, readShapes, tensorShapes } from '../../../../src/model/sam/tensor-shapes.ts'
import { checkWeights, loadWeights, sourceNames } from '../../../../src/model/sam/weights.ts'
import { Learner } from '../../../../src/model/train/learner.ts'
import { defaultModelSettings, type Mode, type ModelSettings } from '../../../../src/settings/model.ts'
import { defaultTrainSettings, type TrainSettings } from '../../../../src/settings/training.ts'
import { compute, difference, testEngine } from '../golden.ts'
import { liteAsset, liteConfig, liteWeights, storedWeights, synth } from './lite-golden.ts'

const config = liteConfig(64)
const HASH = 'a6041e746ad6f70c19768a2878a0dadc7bbecf864f49cb476f8e80592bad15a8'

function disc (x0: number): Fitted {
  const inside = (i: number): boolean => (i % 64 - x0) ** 2 + (Math.floor(i / 64) - 30) ** 2 < 15 ** 2
  const image = Uint8Array.from({ length: 64 * 64 }, (_, i) => inside(i) ? 210 : 40 + i * 7919 % 17)
  const mask = Uint8Array.from({ length: 64 * 64 }, (_, i) => inside(i) ? 1 : 0)
  return { id: `disc-${x0}`, height: 64, width: 64, side: 64, fittedHeight: 64, fittedWidth: 64, channels: 1, image, mask }
}

const discs = [20, 32, 44].map(disc)

async function learner (model: Partial<ModelSettings> = {}, train: Partial<TrainSettings> = {}): Promise<Learner> {
  return Learner.create({
    engine: await testEngine(),
    config,
    weights: liteWeights(),
    baseHash: HASH,
    model: { ...defaultModelSettings(config), ...model },
    train: { ...defaultTrainSettings(config), stepsPerRound: 4, warmupSteps: 1, ...train },
    seed: 3,
    siteSeed: 7
  })
}

describe('LiteMedSAM as a base', function () {
  this.timeout(120_000)

  it('is loaded strictly, by the hash of its file, and folded into what the graph reads', () => {
    const stored = storedWeights()
    expect(stored.size).to.equal(408)
    expect(loadWeights(liteConfig(), liteAsset).hash).to.equal(HASH)
    expect(tensorShapes(liteConfig()).size).to.equal(408)
    const read = liteWeights()
    expect(checkShapes(read)).to.deep.equal([])
    expect(Object.keys(read)).to.have.length(327)
    expect(parameterCount(liteConfig())).to.equal(9_786_628 - 256)
    stored.delete('image_encoder.layers.2.blocks.3.local_conv.bn.running_var')
    expect(() => checkWeights(liteConfig(), stored)).to.throw(SchemaError, 'running_var of model litemedsam is missing')
    expect(sourceNames(['a.bn.num_batches_tracked', 'a.bn.weight']).sources).to.have.all.keys('a.bn.weight')
  })

  it('gives the same embedding wherever the frozen blocks end', async () => {
    const { tokens } = encoderPlan(config)
    expect([0, 2, 8, 10].map((block) => tokens(block))).to.deep.equal([
      { side: 32, dim: 128 }, { side: 16, dim: 160 }, { side: 16, dim: 320 }, { side: 16, dim: 320 }
    ])
    const cuts = [0, 2, 8, 9, 10]
    const parts: Record<string, { shape: readonly number[], data: Float32Array }> = {}
    for (const cut of cuts) {
      const before = await compute({ ...liteWeights(), image: synth(64) }, (t) => ({
        x: runBlocks(embedTokens(t['image'] as tf.Tensor4D, t, config), t, config, 0, cut).x
      }))
      expect(before['x']!.shape).to.deep.equal([1, tokens(cut).side, tokens(cut).side, tokens(cut).dim])
      const after = await compute({ ...liteWeights(), x: before['x']! }, (t) => ({
        y: neck(runBlocks({ x: t['x'] as tf.Tensor4D, routing: [] }, t, config, cut, 10).x, t)
      }))
      parts[cut] = after['y'] as typeof parts[string]
    }
    for (const cut of cuts) expect(difference(parts[cut]!, parts[0]!), `cut at ${cut}`).to.be.at.most(1e-5)
  })

  it('has the adapter and the experts of its card, and starts as the base', async () => {
    const site = await learner()
    const adapter = site.initialAdapter()
    expect(adapter.values).to.have.length(117_248)
    const experts = expertTensors(config, defaultModelSettings(config).moe)
    expect(experts.reduce((sum, { shape }) => sum + elementCount(shape), 0)).to.equal(87_168)
    const masks = async (mode: Mode): Promise<Uint8Array[]> => await site.predict({ adapter, samples: discs, mode })
    expect(await masks('personal')).to.deep.equal(await masks('frozen'))
    expect(await masks('global')).to.deep.equal(await masks('frozen'))
    await site.dispose()
  })

  it('learns in both phases, with frozen blocks computed once for an image', async () => {
    const site = await learner()
    const first = await site.train('G', { adapter: site.initialAdapter(), samples: discs, round: 1 })
    let { adapter, loss } = first
    for (const round of [2, 3, 4, 5]) ({ adapter, loss } = await site.train('G', { adapter, samples: discs, round }))
    expect(loss).to.be.below(0.8 * first.loss)
    const early = await site.train('L', { adapter, samples: discs, round: 5 })
    const late = await site.train('L', { adapter, samples: discs, round: 6 })
    expect(late.loss).to.be.below(early.loss)
    await site.dispose()
  })

  for (
    const [what, model, train] of [
      ['experts in blocks of other sides, with noise on their gates', {
        lora: { blocks: [1, 7, 9], rank: 4, alpha: 4 },
        moe: { ...defaultModelSettings(config).moe, blocks: [1, 7, 9], noise: 0.5 }
      }, { augment: true }],
      ['bottlenecks', { encoder: 'bottleneck' }, { lrHeads: 1e-4 }],
      ['the whole encoder, its folded kernels and tables of biases', { encoder: 'full', decoder: 'full' }, { lrHeads: 1e-5 }],
      ['products of low-rank updates', { lora: { blocks: [8, 9], rank: 4, alpha: 4, aggregation: 'product-svd' } }, {}]
    ] as [string, Partial<ModelSettings>, Partial<TrainSettings>][]
  ) {
    it(`trains ${what}`, async () => {
      const site = await learner(model, { stepsPerRound: 1, ...train })
      const start = site.initialAdapter()
      const { adapter, loss } = await site.train('G', { adapter: start, samples: discs, round: 1 })
      expect(loss).to.be.above(0).and.below(3)
      for (const [name, { data }] of adapter.tensors()) {
        if (/^(?!mask_decoder\.(iou_pred|.*mlps\.[123])).*(attention_biases|local_conv|down\.weight)/.test(name)) {
          expect(data, name).to.not.deep.equal(start.tensors().get(name)!.data)
        }
        expect(data.every(Number.isFinite), name).to.equal(true)
      }
      const experts = await site.train('L', { adapter, samples: discs, round: 1 })
      expect(Number.isFinite(experts.loss)).to.equal(true)
      await site.dispose()
    })
  }
})

function checkShapes (weights: ReturnType<typeof liteWeights>): string[] {
  const shapes = readShapes(liteConfig())
  return [
    ...Object.keys(weights).filter((name) => shapes.get(name)?.join() !== weights[name]!.shape.join()),
    ...[...shapes.keys()].filter((name) => weights[name] == null)
  ]
}
