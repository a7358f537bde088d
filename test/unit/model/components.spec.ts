import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { HostRecord } from '../../../src/compute/index.ts'
import { toImages, toTargets } from '../../../src/dataset/index.ts'
import type { Term } from '../../../src/model/components/component.ts'
import { componentsOf } from '../../../src/model/components/index.ts'
import { supervised } from '../../../src/model/components/supervised.ts'
import { createLayout } from '../../../src/model/parameters/layout.ts'
import { lowResSide } from '../../../src/model/sam/build-sam.ts'
import type { StepContext } from '../../../src/model/steps.ts'
import { phaseStep } from '../../../src/model/train/phase-step.ts'
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

  it('are experts and their balance only where the method has experts', () => {
    const model = defaultModelSettings(config)
    const train = defaultTrainSettings(config)
    const names = (blocks: number[]): string[] =>
      componentsOf({ config, model: { ...model, moe: { ...model.moe, blocks } }, train }).map(({ name }) => name)
    expect(names([1])).to.deep.equal(['global', 'supervised', 'experts', 'distillation'])
    expect(names([])).to.deep.equal(['global', 'supervised', 'distillation'])
  })
})
