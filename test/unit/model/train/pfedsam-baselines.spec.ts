import { expect } from 'chai'
import { elementCount } from '../../../../src/adapter/schema.ts'
import { adapterTensors } from '../../../../src/model/parameters/shared-set.ts'
import { samConfig } from '../../../../src/model/sam/build-sam.ts'
import { parameterCount } from '../../../../src/model/sam/tensor-shapes.ts'
import { defaultModelSettings, type ModelSettings } from '../../../../src/settings/model.ts'
import { createLearner, discs } from '../learners.ts'

const NO_EXPERTS = { blocks: [], experts: 4, topK: 2, bottleneck: 8, gate: 'token', expert: 'mlp' } as const
const BASELINES: readonly Partial<ModelSettings>[] = [
  { encoder: 'full', decoder: 'full', moe: { ...NO_EXPERTS, blocks: [] } },
  { encoder: 'bottleneck', decoder: 'full', moe: { ...NO_EXPERTS, blocks: [] } },
  { decoder: 'lora' }
]

function sizeOf (settings: Partial<ModelSettings>): number {
  const config = samConfig('vit-b')
  return adapterTensors(config, { ...defaultModelSettings(config), ...settings }).reduce((sum, { shape }) => sum + elementCount(shape), 0)
}

describe('what baselines put into the adapter', function () {
  this.timeout(60_000)

  for (const model of BASELINES) {
    const name = `encoder ${model.encoder ?? 'lora'}, decoder ${model.decoder}`

    it(`${name}: starts as the base, and phase G fits it`, async () => {
      const learner = await createLearner({
        model,
        train: { lrHeads: 1e-3, lrLora: 3e-3, batchSize: 4, epochsG: 12, warmupSteps: 0, augment: false }
      })
      const start = learner.initialAdapter()
      const predict = async (mode: 'frozen' | 'global'): Promise<Uint8Array[]> =>
        await learner.predict({ adapter: start, samples: discs, mode })
      expect(await predict('global')).to.deep.equal(await predict('frozen'))
      const { adapter, loss } = await learner.train('G', { adapter: start, samples: discs, round: 1 })
      const { loss: later } = await learner.train('G', { adapter, samples: discs, round: 2 })
      expect(later).to.be.lessThan(loss)
      await learner.dispose()
    })
  }

  it('moves the patch embedding where the whole encoder is trained', async () => {
    const learner = await createLearner({ model: BASELINES[0]! })
    const start = learner.initialAdapter()
    const { adapter } = await learner.train('G', { adapter: start, samples: discs, round: 1 })
    const name = 'image_encoder.patch_embed.proj.weight'
    expect(adapter.tensors().get(name)!.data).to.not.deep.equal(start.tensors().get(name)!.data)
    await learner.dispose()
  })

  it('has the sizes of docs/spec/pfedsam.md#shared-parameters at ViT-B', () => {
    expect(sizeOf({ decoder: 'lora+heads' })).to.equal(938_084)
    expect(sizeOf({ decoder: 'lora+mask-head' })).to.equal(
      938_084 - 3 * (2 * (256 * 256 + 256) + 32 * 256 + 32) - (2 * (256 * 256 + 256) + 4 * 256 + 4)
    )
    expect(sizeOf({})).to.equal(sizeOf({ decoder: 'lora+mask-head' }) - 2 * (256 * 256 + 256))
    // All but the parts of the prompt encoder that act only with prompts.
    expect(parameterCount(samConfig('vit-b')) - sizeOf({ encoder: 'full', decoder: 'full' })).to.equal(6_220 - 256)
    expect(sizeOf({ encoder: 'bottleneck', decoder: 'full' }) / 1e6).to.be.closeTo(11.17, 0.02)
    expect(sizeOf({ decoder: 'lora' })).to.equal(147_456 + 23_552)
  })
})
