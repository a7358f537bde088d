import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { elementCount } from '../../../src/adapter/schema.ts'
import type { TensorRecord } from '../../../src/compute/index.ts'
import { DISCRIMINATOR, discriminatorParameters } from '../../../src/model/blocks/discriminator.ts'
import { alignment } from '../../../src/model/components/alignment.ts'
import type { PhaseStart, Received, Run, Term } from '../../../src/model/components/component.ts'
import { crossEntropy, meanDiscrepancy, stopped, withMoments } from '../../../src/model/objectives/alignment.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { wrongIn } from '../../../src/gossip-aggregation/publication-gate.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import { MOMENT_CHANNELS, MOST_NUMBERS, publicationRules } from '../../../src/settings/publications.ts'
import type { TrainSettings } from '../../../src/settings/training.ts'
import { featureMoments } from '../../../src/site-model/feature-moments.ts'
import { testEngine } from './golden.ts'
import { config, createLearner, discs } from './learners.ts'

type Alignment = NonNullable<TrainSettings['align']>

const model: Partial<ModelSettings> = { moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } }
const settings = {
  method: { sharing: ['moments' as const] },
  training: { align: { target: 'moments', by: 'mmd', weight: 1, warmupRounds: 0 } as const },
  averaging: { normBound: 1 }
}
const JOINT: Alignment = { target: 'joint', by: 'adversarial', weight: 1e-3, rate: 1e-4, warmupRounds: 0 }

interface Trained { readonly learner: Learner, readonly digest: string, readonly values: Float32Array, readonly own: number[] }

async function trained (
  align?: Alignment,
  { round = 1, received = [] }: { readonly round?: number, readonly received?: readonly Received[] } = {}
): Promise<Trained> {
  const learner = await createLearner({ model, train: align == null ? {} : { align } })
  const { adapter } = await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round, received })
  const kept = (await learner.exportPrivate()).reveal()
  const own = [...kept].flatMap(([name, { data }]) => name.startsWith(`own.${DISCRIMINATOR}`) ? [...data] : [])
  await learner.dispose()
  return { learner, digest: adapter.digest(), values: adapter.values, own }
}

/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000

describe('alignment', function () {
  this.timeout(PATIENCE)

  it('of weight 0 leaves training, and what travels, bit for bit as it is', async () => {
    const plain = await trained()
    // What others show is there, and counts for nothing.
    const moments = new Float32Array(2 * MOMENT_CHANNELS).fill(1)
    const received: Received[] = [
      { kind: 'core-adapter', peer: 'p', values: plain.values.map((value, i) => value + 0.05 * Math.sin(i)) },
      { kind: 'moments', peer: 'p', values: moments }
    ]
    const { rate: _, ...unrated } = JOINT
    for (const align of [
      JOINT, { ...JOINT, target: 'cyclic' }, { ...JOINT, target: 'moments' }, { ...unrated, by: 'mmd' }
    ] as const satisfies Alignment[]) {
      const idle = await trained({ ...align, weight: 0 }, { received })
      expect([idle.digest, idle.own, idle.learner.schema.hash], `${align.target} ${align.by}`)
        .to.deep.equal([plain.digest, [], plain.learner.schema.hash])
    }
  })

  it('moves the discriminator alone while the weight has not risen, and then both, the same way each time', async () => {
    const [plain, rising] = [await trained(), await trained({ ...JOINT, warmupRounds: 3 })]
    expect(rising.digest).to.equal(plain.digest)
    expect(rising.learner.schema.hash, 'it has no place in what travels').to.equal(plain.learner.schema.hash)
    expect(rising.own).to.have.length.above(100)
    const later = await trained({ ...JOINT, warmupRounds: 3, weight: 1 }, { round: 3 })
    expect(later.digest).to.not.equal((await trained(undefined, { round: 3 })).digest)
    expect((await trained({ ...JOINT, warmupRounds: 3, weight: 1 }, { round: 3 })).digest).to.equal(later.digest)
  })
})

describe('the terms of alignment', function () {
  this.timeout(PATIENCE)
  const [fools, tells] = alignment(JOINT, config.width).terms!.G as [Term, Term]
  const parameters = discriminatorParameters(config.width, 1e-4)
  const names = parameters.map(({ name }) => name)

  before(async () => { await testEngine() })

  /** A discriminator of numbers that its own shapes give, times `factor`. */
  function discriminator (factor: number): tf.Tensor[] {
    return parameters.map(({ shape }) => {
      const numbers = Array.from({ length: elementCount(shape) }, (_, i) => factor * Math.sin(1 + 7 * i))
      return tf.tensor(numbers, [...shape])
    })
  }

  const features = (shift: number): tf.Tensor => tf.add(tf.randomNormal([1, 2, 2, config.width], 0, 1, 'float32', 5), shift)

  /** Loss of a term with these features and this discriminator, against features that are elsewhere. */
  function loss ({ loss: of }: Term, embedding: tf.Tensor, own: readonly tf.Tensor[]): tf.Scalar {
    const weights: TensorRecord = Object.fromEntries(names.map((name, i) => [name, own[i]!]))
    return of({ student: { embedding }, aligned: () => features(2), weights } as unknown as Run)
  }

  it('move either the features or the discriminator, and the other one by exactly nothing', () => {
    for (const [term, moves] of [[fools, 'features'], [tells, 'discriminator']] as const) {
      const gradients = tf.grads((...[x, ...own]: tf.Tensor[]) => loss(term, x!, own))([features(0), ...discriminator(0.1)])
      const [ofFeatures, ...ofOwn] = gradients.map((each) => Math.max(...each.dataSync().map(Math.abs))) as [number, ...number[]]
      if (moves === 'features') {
        expect(ofFeatures).to.be.above(0)
        expect(Math.max(...ofOwn)).to.equal(0)
      } else {
        expect(ofFeatures).to.equal(0)
        expect(Math.min(...ofOwn)).to.be.above(0)
      }
    }
  })

  it('are ln 2 for a discriminator that knows nothing', () => {
    const nothing = discriminator(0)
    expect(Number(tells.weight) * loss(tells, features(0), nothing).dataSync()[0]!).to.be.closeTo(Math.LN2, 1e-6)
    expect(loss(fools, features(0), nothing).dataSync()[0]).to.be.closeTo(Math.LN2, 1e-6)
  })

  it('make a game in which a number goes to where a constant one is', () => {
    const target = tf.tensor1d([1])
    const game = (x: tf.Tensor, slope: tf.Tensor, shift: tf.Tensor): tf.Scalar => {
      const tell = (at: tf.Tensor, [a, b]: readonly tf.Tensor[]): tf.Tensor => tf.add(tf.mul(at, a!), b!)
      const fooling = crossEntropy(tell(x, [stopped(slope), stopped(shift)]), 1)
      return tf.addN([fooling, crossEntropy(tell(stopped(x), [slope, shift]), 0), crossEntropy(tell(target, [slope, shift]), 1)])
    }
    let state = [0, 0, 0].map((value) => tf.tensor([value]))
    const away: number[] = []
    for (let step = 0; step < 30; step++) {
      const gradients = tf.grads(game)(state)
      // The slope forgets, so that the game comes to rest.
      state = state.map((each, i) => tf.sub(tf.mul(each, i === 1 ? 0.5 : 1), tf.mul(gradients[i]!, 0.8)))
      away.push(Math.abs(1 - state[0]!.dataSync()[0]!))
    }
    expect(away[10]).to.be.below(away[0]!)
    expect(away.at(-1)).to.be.below(0.1)
  })

  it('of discrepancy are 0 for equal samples, and for two points what five kernels make of their distance', () => {
    const sample = tf.randomNormal([6, 4], 0, 1, 'float32', 3)
    expect(meanDiscrepancy(sample, sample).dataSync()[0]).to.be.closeTo(0, 1e-6)
    const kernels = [4, 2, 1, 0.5, 0.25].reduce((sum, factor) => sum + 2 * (1 - Math.exp(-factor)), 0)
    for (const distance of [0.1, 3]) {
      const found = meanDiscrepancy(tf.tensor2d([[0, 0]]), tf.tensor2d([[0, distance]])).dataSync()[0]
      expect(found).to.be.closeTo(kernels, 1e-4)
    }
    const { value, grad } = tf.valueAndGrad((x) => meanDiscrepancy(x, sample))(tf.add(sample, 1))
    const nearer = meanDiscrepancy(tf.sub(tf.add(sample, 1), tf.mul(grad, 0.1)), sample)
    expect(nearer.dataSync()[0]).to.be.below(value.dataSync()[0]!)
  })
})

describe('the model to align with', function () {
  this.timeout(PATIENCE)
  const gamma = Float32Array.of(0)
  const cores = [1, 2].map((value): Received => ({ kind: 'core-adapter', peer: `p${value}`, values: Float32Array.of(value) }))
  const joined = (values: Float32Array): Float32Array => values.map((value) => 10 * value)

  function targets (target: Alignment['target'], received: readonly Received[]): number[] {
    const { inputs } = alignment({ ...JOINT, target }, config.width)
    return [1, 2, 3].map((round) => {
      const start: PhaseStart = { round, gamma, experts: gamma, received, joined }
      return inputs!('G', start)['@alignGamma']!.data[0]!
    })
  }

  it('is the average as it came, or in turn what the others show, with what this site keeps', () => {
    expect(targets('joint', cores)).to.deep.equal([0, 0, 0])
    expect(targets('cyclic', cores)).to.deep.equal([10, 20, 10])
    expect(targets('cyclic', [])).to.deep.equal([0, 0, 0])
    expect(alignment(JOINT, config.width).inputs!('L', { round: 1, gamma, experts: gamma, received: [], joined })).to.deep.equal({})
  })

  it('changes what is trained', async () => {
    const strong: Alignment = { ...JOINT, target: 'cyclic', weight: 5 }
    const own = await trained(strong)
    const moved = own.values.map((value, i) => value + 0.05 * Math.sin(i))
    const core: Received = { kind: 'core-adapter', peer: 'p', values: moved }
    expect((await trained(strong, { received: [core] })).digest).to.not.equal(own.digest)
    expect((await trained({ target: 'joint', by: 'mmd', weight: 1, warmupRounds: 0 })).digest).to.not.equal((await trained()).digest)
  })
})

describe('the moments of features', function () {
  this.timeout(PATIENCE)
  const five = Array.from({ length: 5 }, (_, i) => ({ ...discs[i % discs.length]!, id: `p${i}` }))
  const shown = (mean: number, deviation: number): Received => {
    const values = new Float32Array(2 * MOMENT_CHANNELS)
    values.fill(mean, 0, config.width)
    values.fill(deviation, MOMENT_CHANNELS, MOMENT_CHANNELS + config.width)
    return { kind: 'moments', peer: 'p', values }
  }

  before(async () => { await testEngine() })

  it('replace those of features, and change nothing where they are the same', () => {
    const x = tf.randomNormal([2, 3, 3, 2], 1, 2, 'float32', 5)
    const [mean, deviation] = [tf.mean(tf.reshape(x, [18, 2]), 0), tf.sqrt(tf.sub(
      tf.mean(tf.square(tf.reshape(x, [18, 2])), 0), tf.square(tf.mean(tf.reshape(x, [18, 2]), 0))
    ))]
    const same = withMoments(x, tf.stack([mean, deviation]))
    expect(tf.max(tf.abs(tf.sub(same, x))).dataSync()[0]).to.be.below(1e-5)
    const moved = withMoments(x, tf.tensor2d([[3, -1], [0.5, 2]]))
    expect(tf.mean(tf.reshape(moved, [18, 2]), 0).dataSync()[1]).to.be.closeTo(-1, 1e-5)
    expect(moved.shape).to.deep.equal([2, 3, 3, 2])
    const flat = withMoments(tf.ones([1, 2, 2, 1]), tf.tensor2d([[4], [1]]))
    expect([...flat.dataSync()], 'of a constant feature nothing is made but the mean').to.deep.equal([4, 4, 4, 4])
  })

  it('are what other sites show, in turn, for the channels of the base; without any there is no term', () => {
    const { inputs } = alignment({ ...JOINT, target: 'moments' }, config.width)
    const at = (round: number, received: readonly Received[]): ReturnType<NonNullable<typeof inputs>> =>
      inputs!('G', { round, gamma: new Float32Array(1), experts: new Float32Array(), received, joined: (x) => x })
    expect(at(1, [])).to.deep.equal({})
    const both = [shown(1, 2), shown(3, 4)]
    for (const [round, [mean, deviation]] of [[1, 2], [3, 4], [1, 2]].entries()) {
      const { '@alignMoments': fed, '@alignGamma': gamma } = at(round + 1, both)
      expect(gamma).to.equal(undefined)
      expect(fed!.shape).to.deep.equal([2, config.width])
      expect([fed!.data[0], fed!.data[config.width]]).to.deep.equal([mean, deviation])
    }
  })

  it('leave training as it is where nobody shows any, and change it otherwise', async () => {
    const plain = await trained()
    const strong: Alignment = { ...JOINT, target: 'moments', weight: 5 }
    expect((await trained(strong)).digest).to.equal(plain.digest)
    const drawn = await trained(strong, { received: [shown(1, 2)] })
    expect(drawn.digest).to.not.equal(plain.digest)
    expect((await trained({ target: 'moments', by: 'mmd', weight: 1, warmupRounds: 0 }, { received: [shown(1, 2)] })).digest)
      .to.not.equal(plain.digest)
  })

  it('of images are those of five patients or more, each weighing alike, of the untrained base, in levels', async () => {
    const learner = await createLearner({ model })
    const values = (await featureMoments(learner, five))!
    expect(await featureMoments(learner, five.slice(1))).to.equal(undefined)
    expect(await featureMoments(learner, five.map((each, i) => ({ ...each, subject: `s${i % 4}` })))).to.equal(undefined)
    expect(await featureMoments(learner, [...five.slice(1), ...five.slice(0, 1), five[0]!, five[0]!])).to.deep.equal(values)
    expect(values).to.have.length(2 * MOMENT_CHANNELS)
    const rule = publicationRules(settings).get('moments')!
    expect(wrongIn(values, { ...rule, count: values.length, most: MOST_NUMBERS.moments })).to.equal(undefined)
    expect([...values.subarray(config.width, MOMENT_CHANNELS)].every((each) => each === 0)).to.equal(true)
    expect(Math.min(...values.subarray(MOMENT_CHANNELS, MOMENT_CHANNELS + config.width))).to.be.above(0)
    await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round: 1 })
    expect(await featureMoments(learner, five)).to.deep.equal(values)
    await learner.dispose()
  })
})
