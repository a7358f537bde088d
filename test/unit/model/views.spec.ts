import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { seededRandom } from '../../../src/common/random.ts'
import { swapStyles } from '../../../src/model/blocks/style-swap.ts'
import { consistencyLoss } from '../../../src/model/objectives/consistency.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import type { Mode, ModelSettings } from '../../../src/settings/model.ts'
import type { TrainSettings } from '../../../src/settings/training.ts'
import { testEngine } from './golden.ts'
import { createLearner, discs, weights } from './learners.ts'

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
    const gin = await digest({ kind: 'gin', share: 1 })
    expect(await digest({ kind: 'gin', share: 1 })).to.equal(gin)
    expect(await digest({ kind: 'gin', share: 1, consistency: 0, blend: false })).to.equal(gin)
    expect(await digest({ kind: 'gin', share: 1, consistency: 10, blend: true })).to.not.equal(gin)
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

describe('styles that patches swap', function () {
  this.timeout(60_000)

  before(async () => { await testEngine() })

  const square = [[1, 2, 5, 6], [3, 4, 7, 8], [2, 2, 9, 1], [2, 4, 3, 7]].flat()
  const map = (values: number[], side = 4): tf.Tensor4D => tf.tensor4d(values, [1, side, side, 1])
  const matrix = (...places: number[]): tf.Tensor2D => {
    const columns = Math.max(4, ...places.map((at) => at + 1))
    return tf.tensor2d(places.map((at) => Array.from({ length: columns }, (_, i) => i === at ? 1 : 0)))
  }

  it('give the numbers of the authors\' code, and with their own places what they were', () => {
    const swapped = [...swapStyles(map(square), { matrix: matrix(1, 2, 3, 0) }).dataSync()]
    const wanted = [
      5, 6, 1.338105, 2.112702, 7, 8, 2.887298, 3.661895, 3.174259, 3.174259, 3.914214, 1.085786, 3.174259, 10.477223, 1.792893, 3.207107
    ]
    wanted.forEach((value, i) => { expect(swapped[i], `number ${i}`).to.be.closeTo(value, 2e-5) })
    const same = swapStyles(map(square), { matrix: matrix(0, 1, 2, 3) }).dataSync()
    square.forEach((value, i) => { expect(same[i]).to.be.closeTo(value, 1e-6 * Math.max(1, value)) })
  })

  it('come from donors, whose mean and deviation a patch then has, and tile odd sides', () => {
    const random = seededRandom(2)
    const numbers = (): number[] => Array.from({ length: 25 }, () => random())
    const donor = numbers().map((value) => 10 * value + 3)
    const swapped = swapStyles(map(numbers(), 5), { from: map(donor, 5), matrix: matrix(4, 5, 6, 7) }).dataSync()
    const stats = (values: ArrayLike<number>, rows: readonly number[], columns: readonly number[]): [number, number] => {
      const patch = rows.flatMap((y) => columns.map((x) => values[5 * y + x]!))
      const mean = patch.reduce((sum, value) => sum + value) / patch.length
      return [mean, Math.sqrt(patch.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (patch.length - 1))]
    }
    for (const rows of [[0, 1], [2, 3, 4]]) {
      for (const columns of [[0, 1], [2, 3, 4]]) {
        const [[mean, deviation], [wantedMean, wanted]] = [stats(swapped, rows, columns), stats(donor, rows, columns)]
        expect(mean).to.be.closeTo(wantedMean, 1e-5)
        // What is added to the variance below the root moves it.
        expect(deviation).to.be.closeTo(wanted, 1e-4)
      }
    }
  })

  it('are constants to the gradient', () => {
    const gradient = tf.grad((x) => tf.sum(swapStyles(x as tf.Tensor4D, { matrix: matrix(1, 2, 3, 0) })))(map(square)).dataSync()
    // σ of patch 1 over σ of patch 0 for the first number; the values of a patch do not share it out.
    expect(gradient[0]).to.be.closeTo(1, 1e-5)
    expect(gradient[2]).to.be.closeTo(0.774597, 1e-5)
  })

  it('in no step leave training bit for bit as it is, and in all of them change it', async () => {
    const digest = async (swap?: TrainSettings['swap']): Promise<string> => {
      const site = await createLearner({ model, ...(swap == null ? {} : { train: { swap } }) })
      const { adapter } = await site.train('G', { adapter: site.initialAdapter(), samples: discs, round: 1 })
      await site.dispose()
      return adapter.digest()
    }
    const plain = await digest()
    expect(await digest({ patches: 2, probability: 0, donors: 4 })).to.equal(plain)
    expect(await digest({ patches: 2, probability: 1, donors: 4 })).to.not.equal(plain)
    expect(await digest({ patches: 2, probability: 0.5, donors: 0 })).to.equal(await digest({ patches: 2, probability: 0.5, donors: 0 }))
  })
})

describe('norms that a site keeps', function () {
  this.timeout(60_000)

  it('do not travel, start as the base has them, are trained, and serve in the personal model alone', async () => {
    const [plain, site] = [await createLearner({ model }), await createLearner({ model, keeps: ['norms'] })]
    expect(site.schema.tensors, 'names, shapes and roles').to.deep.equal(plain.schema.tensors)
    expect(site.initialAdapter().values.byteLength).to.equal(plain.initialAdapter().values.byteLength)
    const adapter = site.initialAdapter()
    const samples = discs.slice(0, 1)
    const masks = async (mode: Mode): Promise<Uint8Array> => (await site.predict({ adapter, samples, mode }))[0]!
    expect(await masks('personal')).to.deep.equal(await masks('frozen'))
    const base = Object.entries(weights).map(([name, { data }]): [string, Float32Array] => [name, data.slice()])
    await site.train('G', { adapter, samples: discs, round: 1 })
    for (const [name, data] of base) expect(weights[name]!.data, name).to.deep.equal(data)
    const own = [...(await site.exportPrivate()).reveal().keys()].filter((name) => name.startsWith('own.'))
    expect(own).to.include('own.image_encoder.neck.1.weight').and.include('own.mask_decoder.transformer.norm_final_attn.bias')
    expect(own).to.not.include('own.mask_decoder.output_upscaling.1.weight')
    expect(await masks('global')).to.deep.equal(await masks('frozen'))
    await Promise.all([plain.dispose(), site.dispose()])
  })
})
