import { expect } from 'chai'
import type { HostRecord } from '../../../../src/compute/index.ts'
import { toImages, toTargets } from '../../../../src/dataset/index.ts'
import { InputError } from '../../../../src/errors.ts'
import { supervised } from '../../../../src/model/components/supervised.ts'
import { createLayout } from '../../../../src/model/parameters/layout.ts'
import { lowResSide } from '../../../../src/model/sam/build-sam.ts'
import type { StepContext } from '../../../../src/model/steps.ts'
import { FrozenFeatures, type FeatureStore } from '../../../../src/model/train/frozen-features.ts'
import { phaseStep } from '../../../../src/model/train/phase-step.ts'
import { defaultModelSettings, type ModelSettings } from '../../../../src/settings/model.ts'
import type { TrainSettings } from '../../../../src/settings/training.ts'
import { compute, difference, expectCloseRelative, testEngine } from '../golden.ts'
import { config, createLearner, discs, weights } from '../learners.ts'

const late: Partial<ModelSettings> = {
  lora: { blocks: [2, 3], rank: 4, alpha: 4 },
  moe: { ...defaultModelSettings(config).moe, blocks: [3] }
}

describe('features of frozen blocks', function () {
  this.timeout(60_000)

  async function createStem (limits: { memoryBytes: number, spill?: FeatureStore }): Promise<FrozenFeatures> {
    return new FrozenFeatures({ engine: await testEngine(), config, weights, blocks: 2, limits })
  }

  it('give the same loss and gradients, to 1e-6, as computing everything', async () => {
    const learner = await createLearner({ model: late })
    const adapter = learner.initialAdapter()
    const size = adapter.values.length
    const context: StepContext = {
      config,
      options: { loraScale: 1, topK: 2, gate: 'token' },
      adapter: createLayout(learner.schema.tensors),
      experts: createLayout([]),
      firstExpert: Infinity,
      firstAdapted: 2,
      clipNorm: 1e9
    }
    const step = phaseStep(context, 'G', supervised.terms.G)
    const side = lowResSide(config)
    const [images, targets] = [toImages(discs), toTargets(discs, side)]
    const filled = (value: number): HostRecord[string] => ({ shape: [size], data: new Float32Array(size).fill(value) })
    const common: HostRecord = {
      ...weights,
      '@gamma': { shape: [size], data: adapter.values },
      '@targets': { shape: [4, 1, side, side], data: targets },
      '@first': filled(0),
      '@second': filled(0),
      '@rate': filled(1e-3),
      '@decay': filled(0),
      '@scalars': { shape: [3], data: Float32Array.of(1, 0.1, 0.001) }
    }
    const whole = await compute({ ...common, '@images': { shape: [4, 128, 128, 3], data: images } }, step)
    const stem = await createStem({ memoryBytes: 1e9 })
    const cached = await compute({ ...common, ...await stem.tokens(discs) }, step)
    expectCloseRelative(cached['first'], whole['first']!, 1e-6)
    expect(difference(cached['loss']!, whole['loss']!)).to.be.at.most(1e-6)
    expect(difference(cached['first']!, filled(0))).to.be.greaterThan(0)
    await Promise.all([learner, stem].map(async (each) => { await each.dispose() }))
  })

  it('are computed once per image, and spill over where memory ends', async () => {
    const kept = new Map<string, Float32Array>()
    const spill: FeatureStore = {
      put: async (key, features) => {
        await Promise.resolve(kept.set(key, features))
      },
      get: async (key) => await Promise.resolve(kept.get(key))
    }
    const one = 8 * 8 * 96 * 4
    const stem = await createStem({ memoryBytes: 2 * one + 1, spill })
    const { '@tokens': first } = await stem.tokens(discs)
    expect(stem.computed).to.equal(4)
    expect(kept.size).to.equal(2)
    expect([...kept.keys()].join()).to.not.include('disc')
    expect((await stem.tokens(discs))['@tokens']).to.deep.equal(first)
    expect(stem.computed).to.equal(4)
    const forgetful = await createStem({ memoryBytes: 0 })
    await forgetful.tokens(discs)
    expect((await forgetful.tokens(discs))['@tokens']).to.deep.equal(first)
    expect(forgetful.computed).to.equal(8)
    await Promise.all([stem, forgetful].map(async (each) => { await each.dispose() }))
  })

  it('belong to pixels, whatever the images are called', async () => {
    const stem = await createStem({ memoryBytes: 1e9 })
    const { '@tokens': first } = await stem.tokens([discs[0]!])
    expect((await stem.tokens([{ ...discs[0]!, id: 'the same again' }]))['@tokens']).to.deep.equal(first)
    expect(stem.computed).to.equal(1)
    expect((await stem.tokens([{ ...discs[1]!, id: discs[0]!.id }]))['@tokens']).to.not.deep.equal(first)
    await stem.tokens([{ ...discs[0]!, fittedWidth: 96, fittedHeight: 128 }])
    expect(stem.computed).to.equal(3)
    await stem.dispose()
  })

  it('serve scores and masks of a learner whose images are augmented in training', async () => {
    const kept = new Map<string, Float32Array>()
    let puts = 0
    const spill: FeatureStore = {
      put: async (key, features) => {
        puts++
        await Promise.resolve(kept.set(key, features))
      },
      get: async (key) => await Promise.resolve(kept.get(key))
    }
    const learner = await createLearner({ model: late, train: { augment: true }, cache: { memoryBytes: 0, spill } })
    const adapter = learner.initialAdapter()
    const scores = []
    for (const mode of ['frozen', 'global', 'personal'] as const) {
      scores.push((await learner.evaluate({ adapter, samples: discs, mode })).dice)
    }
    expect(scores[1]).to.equal(scores[0])
    const G = await learner.train('G', { adapter, samples: discs, round: 1 })
    await learner.train('L', { adapter: G.adapter, samples: discs, round: 1 })
    await learner.evaluate({ adapter: G.adapter, samples: discs, mode: 'personal' })
    expect({ puts, kept: kept.size }).to.deep.equal({ puts: discs.length, kept: discs.length })
    const whole = await createLearner()
    expect((await whole.evaluate({ adapter: whole.initialAdapter(), samples: discs, mode: 'frozen' })).dice).to.equal(scores[0])
    await Promise.all([learner, whole].map(async (each) => { await each.dispose() }))
  })

  it('carry a whole round of a learner whose images are not augmented', async () => {
    const learner = await createLearner({ model: late, train: { augment: false, epochsG: 3, lrLora: 1e-2, lrHeads: 1e-2 } })
    const adapter = learner.initialAdapter()
    const frozen = await learner.predict({ adapter, samples: discs, mode: 'frozen' })
    expect(await learner.predict({ adapter, samples: discs, mode: 'personal' })).to.deep.equal(frozen)
    const plain = await createLearner({ model: late })
    expect(await plain.predict({ adapter, samples: discs, mode: 'frozen' })).to.deep.equal(frozen)
    const fitted = await learner.train('G', { adapter, samples: discs, round: 1 })
    const again = await learner.train('G', { adapter: fitted.adapter, samples: discs, round: 2 })
    expect(again.loss).to.be.lessThan(fitted.loss)
    await Promise.all([learner, plain].map(async (each) => { await each.dispose() }))
  })
})

describe('settings of docs/spec/pfedsam.md', function () {
  this.timeout(60_000)

  const settings: [string, Partial<ModelSettings>, Partial<TrainSettings>][] = [
    ['one gate per image', { moe: { ...defaultModelSettings(config).moe, gate: 'image' } }, {}],
    ['low-rank experts', { moe: { ...defaultModelSettings(config).moe, expert: 'lora' } }, {}],
    ['LoRA in two blocks', late, {}],
    ['the global model as teacher', {}, { teacherG: 'global', warmupRounds: 0 }],
    ['no teacher', {}, { teacherG: 'none', teacherL: 'none' }],
    ['box prompts', {}, { prompt: 'box' }],
    ['noise on the gates', { moe: { ...defaultModelSettings(config).moe, noise: 0.25 } }, {}],
    ['features to distil by', {}, { distil: 'features', warmupRounds: 0 }],
    ['LoRA whose A stays', { lora: { ...defaultModelSettings(config).lora, aggregation: 'ffa' } }, {}]
  ]
  for (const [name, model, train] of settings) {
    it(`${name}: starts as the base, trains, and differs from the default`, async () => {
      const learner = await createLearner({ model, train: { ...train, lrMoe: 0.05 } })
      const adapter = learner.initialAdapter()
      const dice = async (mode: 'frozen' | 'personal'): Promise<number> => (await learner.evaluate({ adapter, samples: discs, mode })).dice
      expect(await dice('personal')).to.equal(await dice('frozen'))
      await learner.train('L', { adapter, samples: discs, round: 1 })
      const G = await learner.train('G', { adapter, samples: discs, round: 3 })
      const L = await learner.train('L', { adapter: G.adapter, samples: discs, round: 3 })
      const plain = await createLearner({ train: { lrMoe: 0.05 } })
      await plain.train('L', { adapter: plain.initialAdapter(), samples: discs, round: 1 })
      const other = await plain.train('G', { adapter: plain.initialAdapter(), samples: discs, round: 3 })
      const otherL = await plain.train('L', { adapter: other.adapter, samples: discs, round: 3 })
      expect([G.loss, L.loss].every(Number.isFinite)).to.equal(true)
      expect([G.loss, L.loss]).to.not.deep.equal([other.loss, otherL.loss])
      if (Object.keys(model).length > 0) expect(learner.schema.hash).to.not.equal(plain.schema.hash)
      await Promise.all([learner, plain].map(async (each) => { await each.dispose() }))
    })
  }

  it('names a block that the model lacks', async () => {
    const error = await createLearner({ model: { lora: { blocks: [4], rank: 4, alpha: 4 } } }).catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(InputError)
    expect((error as Error).message).to.include('lora.blocks')
  })
})
