import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { amplitudesOf, planeOf } from '../../../src/dataset/index.ts'
import { boundaryLoss, contrastLoss } from '../../../src/model/objectives/contrast.ts'
import type { Received } from '../../../src/model/components/component.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import type { PublicationKind } from '../../../src/settings/publication-kinds.ts'
import { AMPLITUDE_LEVELS, BANK_CHANNELS, BANK_ENTRIES, frequenciesIn } from '../../../src/settings/publications.ts'
import type { TrainSettings } from '../../../src/settings/training.ts'
import { amplitudeBank } from '../../../src/site-model/amplitude-bank.ts'
import { madePublication, type Showing } from '../../../src/site-model/trainer/made-publication.ts'
import { testEngine } from './golden.ts'
import { createLearner, disc, discs } from './learners.ts'

type Episode = NonNullable<TrainSettings['episode']>

const model: Partial<ModelSettings> = { moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } }
const EPISODE: Episode = {
  weight: 1, window: 1, ratio: 'uniform', innerRate: 1e-3, contrast: 0.1, temperature: 0.05, ring: 5 / 384, group: 5
}
/** Nothing is tried that differs from what is trained. */
const IDLE: Episode = { ...EPISODE, ratio: 0, innerRate: 0, contrast: 0 }
const SIZE = BANK_ENTRIES * BANK_CHANNELS * frequenciesIn(EPISODE.window)

interface Trained { readonly digest: string, readonly loss: number, readonly first: Float32Array }

async function trained (episode?: Episode, received: readonly Received[] = [], more: Partial<TrainSettings> = {}): Promise<Trained> {
  const learner = await createLearner({ model, train: { ...more, ...(episode == null ? {} : { episode }) } })
  const { adapter, loss } = await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round: 1, received })
  await learner.dispose()
  return { digest: adapter.digest(), loss, first: adapter.values }
}

const noMoments = (): Promise<undefined> => Promise.resolve(undefined)

describe('episodes', function () {
  this.timeout(180_000)

  it('of weight 0 leave training bit for bit as it is; of others they change it, the same way each time', async () => {
    const plain = await trained()
    expect((await trained({ ...EPISODE, weight: 0 })).digest).to.equal(plain.digest)
    const one = await trained(EPISODE)
    expect(one.digest).to.not.equal(plain.digest)
    expect((await trained(EPISODE)).digest).to.equal(one.digest)
  })

  it('that try nothing other have twice the loss, and what other sites show changes them', async () => {
    const one = { batchSize: 4, augment: true }
    const [plain, idle] = [await trained(undefined, [], one), await trained(IDLE, [], one)]
    expect(idle.loss).to.be.closeTo(2 * plain.loss, 1e-3)
    const bank = { kind: 'amplitude-bank', peer: 'b', values: new Float32Array(SIZE).fill(AMPLITUDE_LEVELS[40]!) } as const
    const [own, theirs] = [await trained(EPISODE), await trained(EPISODE, [bank])]
    expect(theirs.digest).to.not.equal(own.digest)
  })
})

describe('the boundary contrast', () => {
  before(async () => { await testEngine() })

  const ones = (count: number): tf.Tensor => tf.ones([count])

  it('gives the numbers of NT-Xent', () => {
    const vectors: [tf.Tensor, tf.Tensor] = [tf.tensor2d([[1, 0], [0.8, 0.6]]), tf.tensor2d([[0, 1], [-0.6, 0.8]])]
    expect(contrastLoss({ vectors, weights: [ones(2), ones(2)] }, 0.05).dataSync()[0]).to.be.closeTo(0.009075075, 1e-7)
    // Lengths do not count.
    const longer: [tf.Tensor, tf.Tensor] = [tf.mul(vectors[0], 7), vectors[1]]
    expect(contrastLoss({ vectors: longer, weights: [ones(2), ones(2)] }, 0.05).dataSync()[0]).to.be.closeTo(0.009075075, 1e-7)
  })

  it('leaves out whom it is told to leave out, and is 0 where no pair is left', () => {
    const far = tf.tensor2d([[1, 0], [0.8, 0.6], [-1, 0]])
    const vectors: [tf.Tensor, tf.Tensor] = [far, tf.tensor2d([[0, 1], [-0.6, 0.8], [1, 0.1]])]
    const weights: [tf.Tensor, tf.Tensor] = [tf.tensor1d([1, 1, 0]), tf.tensor1d([1, 1, 0])]
    expect(contrastLoss({ vectors, weights }, 0.05).dataSync()[0]).to.be.closeTo(0.009075075, 1e-7)
    expect(contrastLoss({ vectors, weights: [tf.zeros([3]), tf.zeros([3])] }, 0.05).dataSync()[0]).to.equal(0)
  })

  it('has a finite gradient, none where an image shows no organ, and draws borders and surroundings apart', () => {
    const side = 8
    const inside = (i: number): boolean => i % side > 2 && i % side < 6 && i > 16 && i < 48
    const square = tf.tensor4d(Array.from({ length: side * side }, (_, i) => inside(i) ? 1 : 0), [1, 1, side, side])
    const picture = tf.randomUniform([2, side, side, 4], -1, 1, 'float32', 3)
    const targets = tf.concat([square, tf.zerosLike(square)])
    const loss = (x: tf.Tensor): tf.Scalar => boundaryLoss({ targets, pictures: [x, tf.mul(x, 0.9)], ring: 1, temperature: 0.5 })
    const { value, grad } = tf.valueAndGrad(loss)(picture)
    const numbers = [...grad.dataSync()]
    expect(numbers.every(Number.isFinite)).to.equal(true)
    expect(numbers.slice(0, numbers.length / 2).some((each) => each !== 0)).to.equal(true)
    expect(numbers.slice(numbers.length / 2).every((each) => each === 0)).to.equal(true)
    expect(loss(tf.sub(picture, tf.mul(grad, 0.5))).dataSync()[0]).to.be.below(value.dataSync()[0]!)
  })
})

describe('an amplitude bank', () => {
  const patients = (count: number): ReturnType<typeof disc>[] =>
    Array.from({ length: count }, (_, i) => ({ ...disc(i % 4), subject: `p${i}` }))
  const bankOf = (count: number, window = 1, group = 5): Float32Array | undefined =>
    amplitudeBank(patients(count), { episode: { ...EPISODE, window, group }, siteSeed: 3 })

  it('is made of at least as many patients as a group has, and of levels alone, as many for any data', () => {
    expect(bankOf(4)).to.equal(undefined)
    for (const count of [5, 9, 10, 23]) {
      for (const window of [0, 1, 4]) {
        const bank = bankOf(count, window)!
        expect(bank).to.have.length(BANK_ENTRIES * BANK_CHANNELS * frequenciesIn(window))
        expect(bank.every((value) => AMPLITUDE_LEVELS.includes(value))).to.equal(true)
      }
    }
    // Nine patients are one group, which repeats.
    const bank = bankOf(9)!
    expect(bank.subarray(0, SIZE / 4)).to.deep.equal(bank.subarray(SIZE / 4, SIZE / 2))
    expect(bankOf(23)!.subarray(0, SIZE / 4)).to.not.deep.equal(bankOf(23)!.subarray(SIZE / 4, SIZE / 2))
  })

  it('counts patients alike, however many images they have, in any order', () => {
    const [first, ...rest] = patients(5)
    const make = (samples: ReturnType<typeof patients>): Float32Array | undefined =>
      amplitudeBank(samples, { episode: EPISODE, siteSeed: 3 })
    const wanted = make([first!, ...rest])
    expect(make([...rest, first!, first!, first!])).to.deep.equal(wanted)
    // Two patients' images under one name are those of one: too few.
    expect(make(patients(5).map((each, i) => i < 2 ? { ...each, subject: 'p0' } : each))).to.equal(undefined)
  })

  it('is the geometric mean over patients, to half a level', () => {
    const flat = [40, 40, 40, 90, 90].map((grey, i) => ({ ...disc(0), image: disc(0).image.map(() => grey), subject: `p${i}` }))
    const [brightness] = amplitudeBank(flat, { episode: { ...EPISODE, window: 0 }, siteSeed: 1 })!
    const half = (AMPLITUDE_LEVELS[1]! - AMPLITUDE_LEVELS[0]!) / 2
    expect(brightness).to.be.closeTo((3 * Math.log(40) + 2 * Math.log(90)) / 5, half + 1e-6)
  })

  it('is made by the trainer with both consents alone', async () => {
    const training = { episode: EPISODE } as unknown as Showing['training']
    const [sharing, publish] = [['amplitude-bank' as const], ['amplitude-bank' as const]]
    const sources = { samples: patients(5), core: undefined, moments: noMoments }
    const make = async (given: Omit<Showing, 'training' | 'siteSeed'>): Promise<Float32Array | undefined> =>
      await madePublication('amplitude-bank', { training, siteSeed: 3, ...given }, sources)
    expect(await make({ method: { sharing }, publish })).to.have.length(SIZE)
    expect(await make({ method: { sharing }, publish: [] })).to.equal(undefined)
    expect(await make({ method: { sharing } })).to.equal(undefined)
    expect(await make({ method: {}, publish })).to.equal(undefined)
    expect(await make({ publish })).to.equal(undefined)
  })

  it('or the adapter itself, once it has trained one', async () => {
    const training = {} as unknown as Showing['training']
    const core = Float32Array.of(1, 2)
    const method = { sharing: ['core-adapter' as const] }
    const make = async (publish: Showing['publish'], made?: Float32Array): Promise<Float32Array | undefined> =>
      await madePublication('core-adapter', { method, publish, training, siteSeed: 3 }, { samples: [], core: made, moments: noMoments })
    expect(await make(['core-adapter'], core)).to.equal(core)
    expect(await make(['core-adapter'])).to.equal(undefined)
    expect(await make(['amplitude-bank'], core)).to.equal(undefined)
    const alone = { method: {}, publish: ['core-adapter' as const], training, siteSeed: 3 }
    expect(await madePublication('core-adapter', alone, { samples: [], core, moments: noMoments })).to.equal(undefined)
  })

  it('or moments, which are reckoned with both consents alone', async () => {
    const training = {} as unknown as Showing['training']
    let reckoned = 0
    const moments = (): Promise<Float32Array> => Promise.resolve(Float32Array.of(++reckoned))
    const make = async (sharing: PublicationKind[], publish: PublicationKind[]): Promise<Float32Array | undefined> =>
      await madePublication('moments', { method: { sharing }, publish, training, siteSeed: 3 }, { samples: [], core: undefined, moments })
    for (const [sharing, publish] of [[['moments'], []], [[], ['moments']]] as [PublicationKind[], PublicationKind[]][]) {
      expect(await make(sharing, publish)).to.equal(undefined)
    }
    expect(reckoned).to.equal(0)
    expect(await make(['moments'], ['moments'])).to.deep.equal(Float32Array.of(1))
  })

  it('of alike images holds their mean brightness to 4 %', () => {
    const same = Array.from({ length: 5 }, (_, i) => ({ ...disc(0), subject: `p${i}` }))
    const [brightness = 0] = amplitudesOf(planeOf(same[0]!, 0), 0)
    const bank = amplitudeBank(same, { episode: { ...EPISODE, window: 0 }, siteSeed: 1 })!
    expect(Math.exp(bank[0]!) / brightness).to.be.closeTo(1, 0.04)
  })
})
