import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { consistencyLoss } from '../../../src/model/objectives/consistency.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import type { Mode, ModelSettings } from '../../../src/settings/model.ts'
import type { TrainSettings } from '../../../src/settings/training.ts'
import { testEngine } from './golden.ts'
import { createLearner, discs } from './learners.ts'

const model: Partial<ModelSettings> = { moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } }

describe('views in training', function () {
  this.timeout(120_000)
  const open: Learner[] = []

  after(async () => { await Promise.all(open.map(async (each) => { await each.dispose() })) })

  async function learner (init: Parameters<typeof createLearner>[0]): Promise<Learner> {
    const made = await createLearner({ model, ...init })
    open.push(made)
    return made
  }

  async function digest (views?: TrainSettings['views']): Promise<string> {
    const site = await learner(views == null ? {} : { train: { views } })
    const { adapter, loss } = await site.train('G', { adapter: site.initialAdapter(), samples: discs, round: 1 })
    expect(loss).to.be.within(0, 5)
    return adapter.digest()
  }

  it('of no image leave the training bit for bit as it is; of all they change it, the same way each time', async () => {
    const plain = await digest()
    for (const kind of ['gin', 'spatial', 'frequency', 'strong'] as const) {
      expect(await digest({ kind, share: 0 }), kind).to.equal(plain)
      expect(await digest({ kind, share: 1 }), kind).to.not.equal(plain)
    }
    expect(await digest({ kind: 'gin', share: 1 })).to.equal(await digest({ kind: 'gin', share: 1 }))
    expect(await digest({ kind: 'gin', share: 1, consistency: 10, blend: true })).to.not.equal(await digest({ kind: 'gin', share: 1 }))
  })

  describe('that are to agree', () => {
    before(async () => { await testEngine() })

    it('cost nothing where they do', () => {
      const logits = tf.tensor([1, -2, 0.5, 3], [2, 1, 1, 2])
      const same = tf.concat([logits, logits, logits])
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => consistencyLoss(x, 3))(same)
      expect(value.dataSync()[0]).to.be.closeTo(0, 1e-6)
      for (const each of grad.dataSync()) expect(each).to.be.closeTo(0, 1e-6)
    })

    it('cost KL(p̄ ‖ p) where they do not, and are drawn together', () => {
      const views = tf.tensor([0, 2], [2, 1, 1, 1])
      const [p, q] = [0.5, 1 / (1 + Math.exp(-2))]
      const mean = (p + q) / 2
      const kl = (a: number, b: number): number => a * Math.log(a / b) + (1 - a) * Math.log((1 - a) / (1 - b))
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => consistencyLoss(x, 2))(views)
      expect(value.dataSync()[0]).to.be.closeTo((kl(mean, p) + kl(mean, q)) / 2, 1e-6)
      const [low = 0, high = 0] = grad.dataSync()
      expect(low).to.be.below(0)
      expect(high).to.be.above(0)
    })
  })
})

describe('norms that a site keeps', function () {
  this.timeout(60_000)

  it('do not travel, start as the base has them, are trained, and serve in the personal model alone', async () => {
    const [plain, site] = [await createLearner({ model }), await createLearner({ model, keeps: ['norms'] })]
    const names = (each: Learner): string[] => each.schema.tensors.map(({ name }) => name)
    expect(names(site)).to.deep.equal(names(plain))
    const adapter = site.initialAdapter()
    const samples = discs.slice(0, 1)
    const masks = async (mode: Mode): Promise<Uint8Array> => (await site.predict({ adapter, samples, mode }))[0]!
    expect(await masks('personal')).to.deep.equal(await masks('frozen'))
    await site.train('G', { adapter, samples: discs, round: 1 })
    const own = [...(await site.exportPrivate()).reveal().keys()].filter((name) => name.startsWith('own.'))
    expect(own).to.include('own.image_encoder.neck.1.weight').and.include('own.mask_decoder.transformer.norm_final_attn.bias')
    expect(own).to.not.include('own.mask_decoder.output_upscaling.1.weight')
    expect(await masks('global')).to.deep.equal(await masks('frozen'))
    await Promise.all([plain.dispose(), site.dispose()])
  })
})
