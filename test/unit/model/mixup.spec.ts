import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { beta } from '../../../src/common/beta.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { mixed, mixedKnown } from '../../../src/model/blocks/mixup.ts'
import { pairs } from '../../../src/model/components/mixup.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import type { TrainSettings } from '../../../src/settings/training.ts'
import { testEngine } from './golden.ts'
import { createLearner, discs } from './learners.ts'

const KL = { mu: 0.3, excess: true, least: 0.25, most: 4 } as const

async function trained (train: Partial<TrainSettings>, method: MethodSettings = {}): Promise<{ digest: string, loss: number | undefined }> {
  const learner = await createLearner({ train: { augment: true, ...train }, method })
  const { adapter, facts } = await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round: 1 })
  await learner.dispose()
  return { digest: adapter.digest(), loss: facts?.['loss']?.[0] }
}

describe('Beta(α, α)', () => {
  it('has its mean and variance, also where most of it lies at the ends', () => {
    for (const alpha of [1, 0.5, 0.2, 0.02]) {
      const random = seededRandom(5, 100 * alpha)
      const drawn = Array.from({ length: 100_000 }, () => beta(alpha, random))
      const mean = drawn.reduce((sum, each) => sum + each, 0) / drawn.length
      const variance = drawn.reduce((sum, each) => sum + (each - mean) ** 2, 0) / drawn.length
      expect(mean, `α ${alpha}`).to.be.closeTo(0.5, 0.01)
      expect(variance, `α ${alpha}`).to.be.closeTo(1 / (4 * (2 * alpha + 1)), 0.003)
      expect(drawn.every((each) => each >= 0 && each <= 1)).to.equal(true)
    }
  })
})

describe('mixed images', function () {
  this.timeout(180_000)
  before(async () => { await testEngine() })

  it('take of each image its share, and the rest of its partner', () => {
    const x = tf.tensor2d([[1, 2], [10, 20], [100, 200]])
    const record = { '@partners': tf.tensor2d([[0, 1, 0], [0, 0, 1], [1, 0, 0]]), '@shares': tf.tensor1d([1, 0.5, 0]) }
    expect(mixed(x, record).arraySync()).to.deep.equal([[1, 2], [55, 110], [1, 2]])
    expect(mixed(x, {})).to.equal(x)
    expect(mixedKnown(tf.tensor2d([[1, 0], [1, 1], [0.5, 1]]), record).arraySync()).to.deep.equal([[1, 0], [0.5, 1], [0.5, 0]])
  })

  it('with a share of 1 are the images bit for bit', () => {
    const x = tf.randomNormal<tf.Rank.R4>([2, 3, 3, 3], 0, 1, 'float32', 4)
    const { '@partners': partners } = pairs(2, { alpha: 0.2 }, seededRandom(1))
    const record = { '@partners': tf.tensor(partners!.data, [2, 2]), '@shares': tf.ones([2]) }
    expect(mixed(x, record).dataSync()).to.deep.equal(x.dataSync())
  })

  it('are each paired with another one', () => {
    for (const images of [2, 3, 8]) {
      const { data } = pairs(images, { alpha: 0.2 }, seededRandom(images))['@partners']!
      for (let i = 0; i < images; i++) {
        expect(data[i * images + i]).to.equal(0)
        for (const at of [(j: number) => i * images + j, (j: number) => j * images + i]) {
          expect(Array.from({ length: images }, (_, j) => Number(data[at(j)])).reduce((sum, each) => sum + each, 0)).to.equal(1)
        }
      }
    }
  })

  it('change training, the same way each time; what a site announces changes nothing of it', async () => {
    const plain = await trained({})
    const one = await trained({ mixup: { alpha: 0.2 } })
    expect(one.digest).to.not.equal(plain.digest)
    expect((await trained({ mixup: { alpha: 0.2 } })).digest).to.equal(one.digest)
    expect(plain.loss).to.equal(undefined)
    const weighed = await trained({}, { robust: KL })
    expect(weighed.digest).to.equal(plain.digest)
  })

  it('what the adapter lacks is 0 to 1, and as an excess nothing before the site has a model of its own', async () => {
    expect((await trained({}, { robust: KL })).loss).to.equal(0)
    const { loss } = await trained({ mixup: { alpha: 1 } }, { robust: { ...KL, excess: false } })
    expect(loss).to.be.within(0.2, 1)
    expect((await trained({}, { robust: { ...KL, excess: false } })).loss).to.be.within(0.2, 1).and.not.equal(loss)
  })
})
