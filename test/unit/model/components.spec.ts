import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { HostRecord } from '../../../src/compute/index.ts'
import { toImages, toTargets } from '../../../src/dataset/index.ts'
import type { Term } from '../../../src/model/components/component.ts'
import { componentsOf } from '../../../src/model/components/index.ts'
import { lossOf, supervised } from '../../../src/model/components/supervised.ts'
import { createLayout } from '../../../src/model/parameters/layout.ts'
import { lowResSide } from '../../../src/model/sam/build-sam.ts'
import type { StepContext } from '../../../src/model/steps.ts'
import { gradientStep, phaseStep } from '../../../src/model/train/phase-step.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultTrainSettings } from '../../../src/settings/training.ts'
import { compute } from './golden.ts'
import { config, createLearner, discs, weights } from './learners.ts'

const [TERM] = supervised.terms.G
const SIZE: Term = { name: 'size', weight: 0.5, loss: ({ student }) => tf.mean(tf.square(student.masks)) }

describe('the pieces that methods are made of', function () {
  this.timeout(60_000)
  let context: StepContext
  let fed: HostRecord

  before(async () => {
    const learner = await createLearner()
    const { values } = learner.initialAdapter()
    const size = values.length
    const side = lowResSide(config)
    const filled = (value: number): HostRecord[string] => ({ shape: [size], data: new Float32Array(size).fill(value) })
    context = {
      config,
      options: { loraScale: 1, topK: 2, gate: 'token' },
      adapter: createLayout(learner.schema.tensors),
      experts: createLayout([]),
      firstExpert: Infinity,
      firstAdapted: 0,
      clipNorm: 1e9
    }
    fed = {
      ...weights,
      '@images': { shape: [4, 128, 128, 3], data: toImages(discs) },
      '@targets': { shape: [4, 1, side, side], data: toTargets(discs, side) },
      '@gamma': { shape: [size], data: values },
      '@first': filled(0),
      '@second': filled(0),
      '@rate': filled(1e-3),
      '@decay': filled(0),
      '@scalars': { shape: [3], data: Float32Array.of(1, 0.1, 0.001) }
    }
    await learner.dispose()
  })

  async function step (terms: readonly Term[], more: HostRecord = {}): Promise<{ loss: number, value: Float32Array }> {
    const { loss, value } = await compute({ ...fed, ...more }, phaseStep(context, 'G', terms))
    return { loss: loss!.data[0]!, value: value!.data as Float32Array }
  }

  it('sum their terms, in any order', async () => {
    const [one, other] = [await step([TERM, SIZE]), await step([SIZE, TERM])]
    expect(one.loss).to.be.closeTo(other.loss, 1e-6)
    const alone = await step([TERM])
    expect(one.loss).to.be.greaterThan(alone.loss)
    expect(one.value).to.not.deep.equal(alone.value)
  })

  it('change nothing with a weight of 0', async () => {
    const alone = await step([TERM])
    expect(await step([TERM, { ...SIZE, weight: 0 }])).to.deep.equal(alone)
  })

  it('leave a term out whose weight is not fed, and weigh it by what is', async () => {
    const term: Term = { ...SIZE, weight: '@size' }
    expect(await step([TERM, term])).to.deep.equal(await step([TERM]))
    const fedWeight = await step([TERM, term], { '@size': { shape: [], data: Float32Array.of(0.5) } })
    expect(fedWeight.loss).to.be.closeTo((await step([TERM, SIZE])).loss, 1e-6)
  })

  describe('in another look, after a trial step', () => {
    const LOOK: Term = { name: 'look', isOfLook: true, loss: ({ inLook, targets }) => lossOf(inLook().masks, { targets }) }

    async function gradient (terms: readonly Term[], more: HostRecord = {}): Promise<Float32Array> {
      const outputs = await compute({ ...fed, ...more }, gradientStep({ ...context, clipNorm: 1 }, terms))
      return outputs['gradient']!.data as Float32Array
    }

    it('at the same images and without that step have exactly twice the gradient', async () => {
      const plain = await gradient([TERM])
      expect(await gradient([TERM, LOOK], { '@look': fed['@images']! })).to.deep.equal(plain.map((value) => 2 * value))
    })

    it('have the sum of the gradients before and after it, of which the second is where it led', async () => {
      const { shape, data } = fed['@images']!
      const look = { shape, data: (data as Float32Array).map((value) => 0.6 * value + 0.3) }
      const rate = 0.5
      const found = await gradient([TERM, LOOK], { '@look': look, '@innerRate': { shape: [], data: Float32Array.of(rate) } })
      const before = await gradient([TERM])
      const length = Math.min(1, 1 / Math.hypot(...before))
      const gamma = fed['@gamma']!
      const led = { ...gamma, data: (gamma.data as Float32Array).map((value, i) => value - rate * length * before[i]!) }
      const after = await gradient([TERM], { '@gamma': led, '@images': look })
      const away = Math.hypot(...found.map((value, i) => value - before[i]! - after[i]!))
      expect(away).to.be.below(1e-4 * Math.hypot(...found))
      const unled = await gradient([TERM], { '@images': look })
      expect(Math.hypot(...found.map((value, i) => value - before[i]! - unled[i]!))).to.be.greaterThan(20 * away)
    })
  })

  it('are experts and their balance only where the method has experts', () => {
    const model = defaultModelSettings(config)
    const train = defaultTrainSettings(config)
    const names = (blocks: number[]): string[] =>
      componentsOf({ config, model: { ...model, moe: { ...model.moe, blocks } }, train }).map(({ name }) => name)
    expect(names([1])).to.deep.equal(['global', 'supervised', 'experts', 'distillation'])
    expect(names([])).to.deep.equal(['global', 'supervised', 'distillation'])
  })
})
