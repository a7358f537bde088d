import { expect } from 'chai'
import type { Scored } from '../../../src/dataset/index.ts'
import { modelId } from '../../../src/model/parameters/model-id.ts'
import { EmbeddingCache } from '../../../src/model/predict/embedding-cache.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import type { Weights } from '../../../src/model/sam/weights.ts'
import { defaultModelSettings, type ModelSettings } from '../../../src/settings/model.ts'
import { createLearner, disc, weights } from './learners.ts'

const MEAN = [123.675, 116.28, 103.53]
const STD = [58.395, 57.12, 57.375]

/** The patch embedding that makes of x what the given one makes of (255·x − mean) / std: nothing is padded in these images. */
function forUnitPixels (): Weights {
  const [kernel, bias] = ['weight', 'bias'].map((part) => weights[`image_encoder.patch_embed.proj.${part}`]!) as [
    Weights[string],
    Weights[string]
  ]
  const patch = 16 * 16
  const channel = (i: number): number => Math.floor(i / patch) % 3
  const shift = Float32Array.from(
    bias.data,
    (value, out) =>
      value - kernel.data.subarray(out * 3 * patch, (out + 1) * 3 * patch).reduce((sum, w, i) =>
        sum + w * MEAN[channel(i)]! / STD[channel(i)]!, 0)
  )
  return {
    ...weights,
    'image_encoder.patch_embed.proj.weight': { shape: kernel.shape, data: kernel.data.map((w, i) => w * 255 / STD[channel(i)]!) },
    'image_encoder.patch_embed.proj.bias': { shape: bias.shape, data: shift }
  }
}

/** Whole squares of the model's side. */
const squares: Scored[] = [0, 1, 2, 3].map(disc).map((each) => {
  const below = (values: Uint8Array): Uint8Array => Uint8Array.from({ length: 128 * 128 }, (_, i) => values[i] ?? 90)
  const mask = below(each.mask).map((value) => Number(value === 1))
  return { ...each, height: 128, fittedHeight: 128, image: below(each.image), mask, truth: mask }
})

describe('pixels as MedSAM takes them', function () {
  this.timeout(60_000)

  const late: Partial<ModelSettings> = {
    lora: { blocks: [2, 3], rank: 4, alpha: 4 },
    moe: { ...defaultModelSettings(samConfig('golden-128')).moe, blocks: [3] }
  }
  for (const [name, model, augment] of [['images', {}, true], ['features of frozen blocks', late, false]] as const) {
    it(`reach training, scores, masks and prompts of ${name}: as SAM's own with the difference in the patch embedding`, async () => {
      const outcome = async (pixels: 'imagenet' | 'unit', base: Weights): Promise<number[]> => {
        const learner = await createLearner({ weights: base, model: { ...model, pixels }, train: { augment } })
        const adapter = learner.initialAdapter()
        const { loss } = await learner.train('G', { adapter, samples: squares, round: 1 })
        const { loss: personal } = await learner.train('L', { adapter, samples: squares, round: 1 })
        const { dice } = await learner.evaluate({ adapter, samples: squares, mode: 'frozen' })
        const marked = (await learner.predict({ adapter, samples: squares, mode: 'frozen' })).map((mask) =>
          mask.reduce((sum, value) => sum + value, 0)
        )
        const segmenter = learner.segmenter({ adapter, mode: 'frozen', cache: new EmbeddingCache({ memoryBytes: 0 }) })
        const [map] = await segmenter.segment(squares[0]!, { points: [[64, 64, 1]] })
        await Promise.all([learner, segmenter].map(async (each) => {
          await each.dispose()
        }))
        return [
          loss,
          personal,
          dice,
          ...marked.map((count) => count / 128 ** 2),
          map!.iou,
          map!.logits.reduce((sum, value) => sum + value, 0) / map!.logits.length
        ]
      }
      const [own, folded, plain] = [
        await outcome('unit', forUnitPixels()),
        await outcome('imagenet', weights),
        await outcome('unit', weights)
      ]
      own.forEach((value, i) => {
        expect(value, `number ${i}`).to.be.closeTo(folded[i]!, 2e-5)
      })
      for (const i of [0, 1, own.length - 1]) expect(Math.abs(plain[i]! - folded[i]!), `number ${i}`).to.be.greaterThan(1e-4)
    })
  }

  it('name another model, and leave the names of models without them as they were', () => {
    const id = (name: string, pixels?: 'imagenet' | 'unit', moe = {}): string => {
      const settings = defaultModelSettings(samConfig(name))
      return modelId(samConfig(name), { ...settings, decoder: 'lora+mask-head', moe: { ...settings.moe, ...moe }, pixels }, 1)
    }
    expect(id('sam-tiny', undefined, { blocks: [1, 3], bottleneck: 8 })).to.equal('sam-tiny/128/e602da8de156f60b')
    expect(id('vit-b', 'imagenet')).to.equal('vit-b/1024/226945264bb5d983')
    expect(id('vit-b', 'unit')).to.not.equal(id('vit-b'))
  })
})
