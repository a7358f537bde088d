import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { seededRandom } from '../../../src/common/random.ts'
import { inOtherLight, UNKNOWN, type Scored } from '../../../src/dataset/index.ts'
import { dualTeacher } from '../../../src/model/components/dual-teacher.ts'
import { keptChannels } from '../../../src/model/components/perturbed-features.ts'
import { answersMoved, entropy, pseudoLabels, pseudoLoss } from '../../../src/model/objectives/pseudo-labels.ts'
import { pairedBatches, studiedOf } from '../../../src/model/train/paired-batches.ts'
import { quantile, Teachers } from '../../../src/model/train/teachers.ts'
import type { PhaseArgs, PhaseResult } from '../../../src/model/train/learner-args.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import { TEACHERS } from '../../../src/settings/methods/weak.ts'
import type { TrainSettings } from '../../../src/settings/training.ts'
import { testEngine } from './golden.ts'
import { createLearner, discs } from './learners.ts'

/** Milliseconds, of a crowded machine. */
const PATIENCE = 900_000
const NO_EXPERTS: Partial<ModelSettings> = { moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } }
const { dualTeacher: DUAL, perturbedFeatures: PERTURBED } = TEACHERS
const SETTINGS = { ...DUAL, teachers: [...DUAL.teachers] }

const unlabelled = (disc: Scored): Scored => ({ ...disc, kind: 'none', mask: new Uint8Array(disc.mask.length).fill(UNKNOWN) })
const scribbled = (disc: Scored): Scored => {
  const mask = disc.mask.map((code, i) => i % 89 === 0 ? code : UNKNOWN)
  return { ...disc, kind: 'scribble', mask, marks: mask }
}
const half = discs.map((disc, i) => i < 2 ? disc : unlabelled(disc))

function teachers (over: Partial<ConstructorParameters<typeof Teachers>[0]> = {}): Teachers {
  return new Teachers({ settings: SETTINGS, gamma: new Float32Array(2), threshold: 0, isMute: false, learns: true, over: () => 0, ...over })
}

describe('who teaches what is not known', () => {
  it('is the start of the phase, and a mean that is 1 − 0.99^m of the way after m steps', () => {
    const both = teachers()
    const there = Float32Array.of(1, -2)
    for (let step = 1; step <= 201; step++) {
      const { '@roundStart': start, '@ema': mean } = both.feeds(step, step === 1 ? new Float32Array(2) : there)
      expect([...start!.data]).to.deep.equal([0, 0])
      expect(mean!.data[0]).to.be.closeTo(1 - 0.99 ** (step - 1), 1e-5)
      expect(mean!.data[1]).to.be.closeTo(-2 * (1 - 0.99 ** (step - 1)), 2e-5)
      // Asked twice in a step, as a phase that is private to patients does, it moves once.
      expect([...both.feeds(step, there)['@ema']!.data]).to.deep.equal([...mean!.data])
    }
    const one = teachers({ settings: { ...SETTINGS, teachers: ['ema'] } }).feeds(1, there)
    expect(Object.keys(one)).to.deep.equal(['@threshold', '@ema'])
  })

  it('counts up to a threshold that follows a quantile, which rises over all steps', () => {
    const values = Float32Array.from({ length: 101 }, (_, i) => (i * 37 % 101) / 200)
    expect(quantile(values, 0.15)).to.be.closeTo(0.075, 1e-7)
    expect(quantile(Float32Array.of(4, 1), 0.25)).to.equal(1.75)
    let done = 0
    const learnt = teachers({ over: () => done })
    let expected = 0
    for (let step = 1; step <= 40; step++) {
      done = step / 40
      learnt.feeds(step, new Float32Array(2))
      learnt.learn({ entropy: { shape: [101], data: values } })
      expected = 0.9 * expected + 0.1 * (0.15 + 0.15 * done) / 2
      expect(learnt.learnt).to.be.closeTo(expected, 1e-6)
    }
    const given = teachers({ threshold: 0.15, learns: false })
    given.learn({ entropy: { shape: [101], data: values } })
    expect(given.learnt).to.equal(undefined)
    expect(given.feeds(1, new Float32Array(2))['@threshold']!.data[0]).to.be.closeTo(0.15, 1e-7)
  })
})

describe('what is learnt from teachers', function () {
  this.timeout(PATIENCE)
  let logits: tf.Tensor4D
  before(async () => {
    await testEngine()
    logits = tf.tensor4d([4, -3, 0.2, -0.1, 2, -6, 1, -1], [2, 1, 2, 2])
  })

  it('has an entropy of ln 2 at most, and of p = 0.9 as in the books', () => {
    expect(entropy(tf.scalar(0)).dataSync()[0]).to.be.closeTo(Math.LN2, 1e-6)
    expect(entropy(tf.scalar(Math.log(9))).dataSync()[0]).to.be.closeTo(-0.9 * Math.log(0.9) - 0.1 * Math.log(0.1), 1e-6)
    for (const z of [100, -100]) expect(entropy(tf.scalar(z)).dataSync()[0]).to.be.closeTo(0, 1e-6)
  })

  it('is the side of the mean answer, where both are sure on the mean', () => {
    const other = tf.tensor4d([4, -3, -3, -0.1, -2.5, -6, 1, 3], [2, 1, 2, 2])
    const { targets, kept } = pseudoLabels([logits, other], tf.scalar(0.3))
    expect([...targets.dataSync()]).to.deep.equal([1, 0, 0, 0, 0, 0, 1, 1])
    const mean = (a: number, b: number): number => tf.mean(entropy(tf.tensor1d([a, b]))).dataSync()[0]!
    const pairs = [[4, 4], [-3, -3], [0.2, -3], [-0.1, -0.1], [2, -2.5], [-6, -6], [1, 1], [-1, 3]] as const
    expect([...kept.dataSync()]).to.deep.equal(pairs.map(([a, b]) => Number(mean(a, b) <= 0.3)))
  })

  it('is nothing, with no gradient, where nothing is kept; else the slope is that of small steps', () => {
    const none = { targets: tf.ones([2, 1, 2, 2]), kept: tf.zeros([2, 1, 2, 2]) }
    expect(pseudoLoss(logits, none).dataSync()[0]).to.equal(0)
    expect([...tf.grad((z) => pseudoLoss(z as tf.Tensor4D, none))(logits).dataSync()].map(Math.abs)).to.deep.equal(new Array(8).fill(0))
    const some = { targets: tf.tensor4d([1, 0, 1, 0, 0, 0, 0, 0], [2, 1, 2, 2]), kept: tf.tensor4d([1, 1, 0, 0, 1, 0, 0, 1], [2, 1, 2, 2]) }
    const slopes = tf.grad((z) => pseudoLoss(z as tf.Tensor4D, some))(logits).dataSync()
    const at = (i: number, by: number): number => {
      const moved = logits.dataSync().map((z, j) => j === i ? z + by : z)
      return pseudoLoss(tf.tensor4d(moved, [2, 1, 2, 2]), some).dataSync()[0]!
    }
    for (let i = 0; i < 8; i++) expect(slopes[i], `${i}`).to.be.closeTo((at(i, 1e-2) - at(i, -1e-2)) / 2e-2, 1e-3)
    // Of what is not kept nothing counts, whatever it is.
    expect([slopes[2], slopes[3], slopes[5], slopes[6]].map((each) => Math.abs(each!))).to.deep.equal([0, 0, 0, 0])
    const bce = (z: number, y: number): number => Math.log1p(Math.exp(z)) - z * y
    const [p0, p1] = [4, -3].map((z) => 1 / (1 + Math.exp(-z))) as [number, number]
    const dice = 1 - (2 * p0 + 1e-5) / (p0 ** 2 + p1 ** 2 + 1 + 1e-5)
    const expected = (bce(4, 1) + bce(-3, 0) + bce(2, 0) + bce(-1, 0)) / 8 + dice
    expect(pseudoLoss(logits, some).dataSync()[0]).to.be.closeTo(expected, 1e-6)
  })

  it('moves answers by a divergence that is 0 of none and has both halves', () => {
    expect([...answersMoved(logits, logits).dataSync()]).to.deep.equal([0, 0])
    const [p, q] = [0.2, 0.7]
    const [a, b] = [p, q].map((each) => tf.fill([1, 1, 2, 2], Math.log(each / (1 - each)))) as [tf.Tensor, tf.Tensor]
    const kl = p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
    expect(answersMoved(a, b).dataSync()[0]).to.be.closeTo(kl, 1e-6)
  })

  it('comes in batches of which half have labels, from two streams, the shorter one again and again', () => {
    const [labelled, rest] = [[discs[0]!, scribbled(discs[1]!)], [unlabelled(discs[2]!)]]
    const samples = [...labelled, ...rest]
    expect([studiedOf(samples, 4), studiedOf(discs, 4), studiedOf(rest, 4), studiedOf(samples, 3), studiedOf([labelled[1]!], 1)])
      .to.deep.equal([2, 0, 4, 1, 0])
    const source = { samples, batchSize: 4, siteSeed: 3, phase: 'G', augment: false } as const
    const ids = (from: number, count: number): string[][] => {
      const batches = pairedBatches(source, { from, steps: 4 })!
      return Array.from({ length: count }, () => (batches.next().value as { samples: readonly Scored[] }).samples.map(({ id }) => id))
    }
    for (const batch of ids(0, 6)) {
      expect(batch.slice(0, 2).toSorted()).to.deep.equal(['disc-0', 'disc-1'])
      for (const id of batch.slice(2)) expect(['disc-1', 'disc-2']).to.include(id)
    }
    expect(ids(2, 3)).to.deep.equal(ids(0, 5).slice(2))
    expect(pairedBatches({ ...source, samples: discs }, { from: 0, steps: 4 })).to.equal(undefined)
  })

  it('is of images in another light: as large, as they lie, within their range, the same by the same numbers', () => {
    const [one, same, other] = [1, 1, 2].map((seed) => inOtherLight(discs[0]!, seededRandom(seed)))
    expect(one!.image).to.deep.equal(same!.image)
    expect(one!.image).to.not.deep.equal(other!.image)
    expect([one!.mask, one!.fittedHeight, one!.image.length]).to.deep.equal([discs[0]!.mask, 96, discs[0]!.image.length])
    // A grey of one value has no contrast and nothing to blur: its brightness is multiplied by 0.5 to 1.5.
    const flat = { ...discs[0]!, image: discs[0]!.image.map(() => 100) }
    for (let seed = 0; seed < 30; seed++) {
      const values = new Set(inOtherLight(flat, seededRandom(seed)).image)
      expect(values.size).to.equal(1)
      expect([...values][0]).to.be.within(50, 150)
    }
    const { views, feeds } = dualTeacher(SETTINGS, { side: 128, pixels: 'imagenet' })
    const around = { samples: half, received: [] }
    const shown = views!('G', half, seededRandom(1), around)
    expect(shown.slice(0, 2)).to.deep.equal(half.slice(0, 2))
    expect(shown[2]!.image).to.not.deep.equal(half[2]!.image)
    expect(feeds!('G', shown, seededRandom(1), { ...around, batch: half })['@weak']!.shape).to.deep.equal([2, 128, 128, 3])
    for (const [phase, samples] of [['L', half], ['G', discs]] as const) {
      expect(views!(phase, samples, () => expect.fail('nothing is drawn'), { samples, received: [] })).to.equal(samples)
    }
  })

  it('keeps channels so that their mean stays', () => {
    const { shape, data } = keptChannels(50, 64, 0.3, seededRandom(3))
    expect(shape).to.deep.equal([50, 1, 1, 64])
    expect(new Set(data)).to.deep.equal(new Set([0, Math.fround(1 / 0.7)]))
    expect([...data].reduce((sum, each) => sum + each, 0) / data.length).to.be.closeTo(1, 0.05)
    expect(new Set(keptChannels(2, 64, 0, seededRandom(3)).data)).to.deep.equal(new Set([1]))
  })

  async function trained (
    train: Partial<TrainSettings>,
    { method = {}, ...args }: { method?: MethodSettings } & Partial<PhaseArgs> = {}
  ): Promise<Pick<PhaseResult, 'loss' | 'steps' | 'facts'> & { digest: string, same: boolean }> {
    const learner = await createLearner({
      model: NO_EXPERTS,
      train: { augment: true, supervision: ['mask', 'scribble', 'none'], batchSize: 4, stepsPerRound: 3, ...train },
      method
    })
    const initial = learner.initialAdapter()
    const { adapter, ...rest } = await learner.train('G', { adapter: initial, samples: discs, round: 1, ...args })
    await learner.dispose()
    return { digest: adapter.digest(), same: adapter.digest() === initial.digest(), ...rest }
  }

  it('changes nothing of a site with whole masks alone, nor with a weight of 0, bit for bit', async () => {
    const plain = await trained({})
    const taught = await trained({ dualTeacher: SETTINGS })
    expect(taught.digest).to.equal(plain.digest)
    expect(taught.facts!['threshold']![0], 'what others may go by').to.be.within(0, Math.LN2)
    expect(plain.facts).to.equal(undefined)
    const off = { dualTeacher: { ...SETTINGS, weight: 0 }, perturbedFeatures: { ...PERTURBED, weight: 0 } }
    expect((await trained(off, { samples: half })).digest).to.equal((await trained({}, { samples: half })).digest)
    const second = await trained({ perturbedFeatures: { weight: 1, rate: 0 } })
    expect(second.loss, 'both runs of the decoder see the same').to.be.closeTo(plain.loss, 1e-6)
    expect((await trained({ perturbedFeatures: PERTURBED })).loss).to.be.above(plain.loss)
  })

  it('changes training where there are images without labels, or partly marked, the same way each time', async () => {
    const given = { dualTeacher: { ...SETTINGS, threshold: Math.LN2 } }
    const [plain, one, again] = [await trained({}, { samples: half }), ...await Promise.all([1, 2].map(async () =>
      await trained(given, { samples: half })))]
    expect(one!.digest).to.equal(again!.digest)
    expect(one!.digest).to.not.equal(plain.digest)
    expect(one!.facts, 'a threshold for all is no fact').to.equal(undefined)
    const weak = discs.map(scribbled)
    expect((await trained(given, { samples: weak })).digest).to.not.equal((await trained({}, { samples: weak })).digest)
  })

  it('waits at a site without labels until others say how sure one must be, and then trains there', async () => {
    const none = discs.map(unlabelled)
    const settings = { dualTeacher: SETTINGS, perturbedFeatures: PERTURBED }
    const method = { generalisation: { step: 0.05 } }
    const alone = await trained(settings, { samples: none, method })
    expect([alone.same, alone.steps, alone.loss]).to.deep.equal([true, 0, 0])
    expect(alone.facts).to.deep.equal({ gap: Float32Array.of(0), threshold: Float32Array.of(0) })
    const told = await trained(settings, { samples: none, method, threshold: 0.5 })
    expect([told.same, told.steps]).to.deep.equal([false, 3])
    expect(told.facts!['gap']![0]).to.be.within(1e-6, 1)
    expect(told.facts!['threshold']![0]).to.equal(0)
  })

  it('is private to patients by one threshold for all, also of patients without labels', async () => {
    const parts = { unit: 'patient', clip: 1, noise: 0.1, rate: 1, slices: 1 } as const
    const learner = await createLearner({
      model: NO_EXPERTS,
      train: {
        augment: true, supervision: ['mask', 'none'], batchSize: 4, stepsPerRound: 1, dualTeacher: { ...SETTINGS, threshold: 0.15 }
      },
      privacy: { ...parts, epsilon: 8, delta: 1e-3, onExhausted: 'stop-training' }
    })
    const samples = half.map((each, i) => ({ ...each, subject: `patient ${i}` }))
    const { loss, steps, facts } = await learner.train('G', { adapter: learner.initialAdapter(), samples, round: 1 })
    expect([steps, facts]).to.deep.equal([1, undefined])
    expect(loss).to.be.above(0)
    await learner.dispose()
  })

  it('repeats a round after a restart, with the threshold that was kept', async () => {
    const make = async (): ReturnType<typeof createLearner> => await createLearner({
      model: NO_EXPERTS, train: { augment: true, supervision: ['mask', 'none'], batchSize: 4, stepsPerRound: 2, dualTeacher: SETTINGS }
    })
    const [one, other] = [await make(), await make()]
    expect(one.keepsGlobal).to.equal(true)
    const first = await one.train('G', { adapter: one.initialAdapter(), samples: half, round: 1 })
    other.importPrivate(await one.exportPrivate())
    const [here, there] = [await one.train('G', { adapter: first.adapter, samples: half, round: 2 }),
      await other.train('G', { adapter: first.adapter, samples: half, round: 2 })]
    expect(there.adapter.digest()).to.equal(here.adapter.digest())
    expect(there.facts).to.deep.equal(here.facts)
    expect(here.facts!['threshold']![0]).to.not.equal(first.facts!['threshold']![0])
    await Promise.all([one.dispose(), other.dispose()])
  })
})
