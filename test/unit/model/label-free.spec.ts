import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { Adapter } from '../../../src/adapter/adapter.ts'
import type { Scored } from '../../../src/dataset/index.ts'
import { UNKNOWN } from '../../../src/dataset/index.ts'
import { infoNce } from '../../../src/model/objectives/contrast.ts'
import { byolLoss, spreadOf, startLoss } from '../../../src/model/objectives/looks.ts'
import { driftedStart } from '../../../src/model/parameters/drift.ts'
import { EarlierLooks } from '../../../src/model/train/earlier-looks.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import type { PhaseArgs, PhaseResult } from '../../../src/model/train/learner-args.ts'
import { labelledAfter } from '../../../src/model/train/label-free.ts'
import { MovingMean } from '../../../src/model/train/moving-mean.ts'
import { PhasePlan } from '../../../src/model/train/phase-plan.ts'
import type { Mechanism } from '../../../src/privacy/mechanism.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { PRETRAINING } from '../../../src/settings/methods/label-free.ts'
import { PSEUDO } from '../../../src/settings/methods/weak.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import type { Pretraining } from '../../../src/settings/pretraining.ts'
import { defaultTrainSettings, type TrainSettings } from '../../../src/settings/training.ts'
import { testEngine } from './golden.ts'
import { config, createLearner, discs } from './learners.ts'

/** Milliseconds, of a crowded machine. */
const PATIENCE = 900_000
const NO_EXPERTS: ModelSettings['moe'] = { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' }
const TRAIN: Partial<TrainSettings> = { augment: true, stepsPerRound: 2, epochsG: undefined, epochsL: undefined, lrLora: 1e-2 }

const unlabelled = (disc: Scored): Scored => ({ ...disc, kind: 'none', mask: new Uint8Array(disc.mask.length).fill(UNKNOWN) })
const half = discs.map((disc, i) => i < 2 ? disc : unlabelled(disc))

async function learnerOf (
  pretrain: Partial<Pretraining> | undefined,
  { train = {}, privacy, method = {} }: { train?: Partial<TrainSettings>, privacy?: Mechanism, method?: MethodSettings } = {}
): Promise<Learner> {
  const given = pretrain == null ? {} : { pretrain: { ...PRETRAINING, rounds: 1, ...pretrain } }
  return await createLearner({
    model: { moe: NO_EXPERTS },
    train: { ...TRAIN, ...train },
    method: { ...method, ...given },
    ...(privacy == null ? {} : { privacy })
  })
}

type Trained = PhaseResult & { readonly digest: string, readonly before: Adapter }

async function trained (learner: Learner, args: Partial<PhaseArgs> = {}): Promise<Trained> {
  const before = args.adapter ?? learner.initialAdapter()
  const result = await learner.train('G', { adapter: before, samples: discs, round: 1, ...args })
  return { ...result, before, digest: result.adapter.digest() }
}

/** The same with a learner of its own. */
async function once (...[pretrain, init, args]: [...Parameters<typeof learnerOf>, Partial<PhaseArgs>?]): Promise<Trained> {
  const learner = await learnerOf(pretrain, init)
  try {
    return await trained(learner, args)
  } finally {
    await learner.dispose()
  }
}

describe('how looks are compared', () => {
  before(async () => { await testEngine() })
  const rows = (values: number[][]): tf.Tensor2D => tf.tensor2d(values)
  const number = (x: tf.Tensor): number => x.dataSync()[0]!

  it('InfoNCE is the number of the specification, 0 without negatives, and counts those alone that are marked', () => {
    const cosine = (c: number): number[] => [c, Math.sqrt(1 - c ** 2)]
    const looks = { vectors: rows([[3, 0]]), positives: rows([cosine(0.9)]), negatives: rows([cosine(0.1), cosine(0.2), cosine(1)]) }
    const wanted = -Math.log(Math.exp(9) / (Math.exp(9) + Math.exp(1) + Math.exp(2)))
    expect(wanted).to.be.closeTo(0.00124657, 5e-9)
    expect(number(infoNce({ ...looks, counted: rows([[1, 1, 0]]) }, 0.1))).to.be.closeTo(wanted, 1e-6)
    expect(number(infoNce({ ...looks, counted: rows([[0, 0, 0]]) }, 0.02))).to.equal(0)
    const two = { ...looks, vectors: rows([[3, 0], [1, 0]]), positives: rows([cosine(0.9), cosine(-0.9)]) }
    const counted = rows([[1, 1, 0], [0, 0, 0]])
    expect(number(infoNce({ ...two, counted }, 0.1)), 'the mean is over those with negatives').to.be.closeTo(wanted, 1e-6)
  })

  it("BYOL's distance is 0 for equal directions and 4 for opposite ones; that from the start 0 exactly for the same", () => {
    const z = rows([[1, 2, -3], [0.5, 0, 1]])
    expect(number(byolLoss(z, tf.mul(z, 7)))).to.be.closeTo(0, 1e-6)
    expect(number(byolLoss(z, tf.neg(z)))).to.be.closeTo(4, 1e-6)
    expect(number(startLoss(z, z))).to.equal(0)
    expect(number(startLoss(z, tf.add(z, 1)))).to.be.closeTo(3, 1e-6)
  })

  it('spread is 0 for equal vectors, and the mean deviation of their numbers else', () => {
    expect(spreadOf([[0.5, 1], [0.5, 1]])).to.equal(0)
    expect(spreadOf([[1, 0], [0, 1], [1, 0], [0, 1]])).to.equal(0.5)
  })

  it('earlier looks are kept up to a number, and never count for the image that they are of', () => {
    const looks = new EarlierLooks(3, 2)
    expect([...looks.feeds(['a', 'b'])['@counted']!.data]).to.deep.equal([0, 0, 0, 0, 0, 0])
    looks.add(Float32Array.of(1, 2, 3, 4), ['a', 'b'])
    expect([...looks.feeds(['a'])['@counted']!.data]).to.deep.equal([0, 1, 0])
    looks.add(Float32Array.of(5, 6, 7, 8), ['c', 'b'])
    const fed = looks.feeds(['a', 'c'])
    expect([...fed['@queue']!.data]).to.deep.equal([7, 8, 3, 4, 5, 6])
    expect([...fed['@counted']!.data]).to.deep.equal([1, 1, 1, 1, 1, 0])
  })

  it('the moving mean follows what is trained, and moves once a step', () => {
    const mean = new MovingMean(Float32Array.of(0), 0.99)
    const there = Float32Array.of(1)
    for (let step = 1; step <= 100; step++) {
      expect(mean.at(step, there)[0]).to.be.closeTo(1 - 0.99 ** (step - 1), 1e-5)
      expect(mean.at(step, there)[0]).to.be.closeTo(1 - 0.99 ** (step - 1), 1e-5)
    }
  })

  it('a round begins at a part of the own by its distance: 0.7 at the first, less where it is nearer, all at most', () => {
    const parts = { size: 2, stretches: [{ begin: 1, end: 3 }] }
    const given = { stay: 0.7, parts }
    const shared = Float32Array.of(9, 0, 0, 9)
    expect(driftedStart(undefined, shared, given).values, 'first round').to.equal(shared)
    const own = Float32Array.of(3, 4)
    const first = driftedStart({ own, scale: 0 }, shared, given)
    expect(first.scale).to.be.closeTo(0.7 / 5, 1e-7)
    expect([...first.values].map((each) => +each.toFixed(5))).to.deep.equal([9, 2.1, 2.8, 9])
    const near = driftedStart({ own: Float32Array.of(0.3, 0.4), scale: first.scale }, shared, given).values
    expect(near[1]).to.be.closeTo(0.3 * 0.07, 1e-6)
    const far = driftedStart({ own: Float32Array.of(30, 40), scale: first.scale }, shared, given).values
    expect([...far]).to.deep.equal([9, 30, 40, 9])
    expect(driftedStart({ own: Float32Array.of(0, 0), scale: first.scale }, shared, given).values, 'nothing to stay with').to.equal(shared)
    expect(driftedStart({ own, scale: 1 }, shared, { ...given, stay: 0 }).values).to.equal(shared)
  })

  it('learning rates warm up and fall in label-free rounds and in those after them, each as if there were no others', () => {
    const train = { ...defaultTrainSettings(config), ...TRAIN, warmupSteps: 4, schedule: 'poly' } as TrainSettings
    const plan = (rounds: number, method?: MethodSettings): PhasePlan =>
      new PhasePlan({ train, rounds, method, siteSeed: 1 } as unknown as ConstructorParameters<typeof PhasePlan>[0])
    const both = plan(5, { pretrain: { ...PRETRAINING, rounds: 2 } })
    const rate = (of: PhasePlan, round: number): number[] =>
      [1, 2].map((step) => of.rateFactor('G', { round, samples: discs } as unknown as PhaseArgs, 2 * (round - 1))(step))
    for (const round of [1, 2]) expect(rate(both, round)).to.deep.equal(rate(plan(2), round))
    for (const round of [3, 4, 5]) expect(rate(both, round)).to.deep.equal(rate(plan(3), round - 2))
  })
})

describe('a learner whose first rounds look at no label', function () {
  this.timeout(PATIENCE)

  it('trains as without them where there are none, and begins with the answers of the base', async () => {
    const [none, without] = [await once({ rounds: 0 }), await once(undefined)]
    expect(none.digest).to.equal(without.digest)
    const learner = await learnerOf({})
    const adapter = learner.initialAdapter()
    const [frozen, global] = [await learner.evaluate({ adapter, samples: discs, mode: 'frozen' }),
      await learner.evaluate({ adapter, samples: discs, mode: 'global' })]
    expect(global.perSample).to.deep.equal(frozen.perSample)
    await learner.dispose()
  })

  it('trains encoder, projector and a predictor that stays, and not one number of the decoder, whatever the labels are', async () => {
    const found = await once({})
    const [after, before] = [found.adapter.tensors(), found.before.tensors()]
    const changed = [...after].flatMap(([name, { data }]) => data.some((each, i) => each !== before.get(name)!.data[i]) ? [name] : [])
    expect(changed.some((name) => name.startsWith('mask_decoder.'))).to.equal(false)
    for (const part of ['image_encoder.', 'projector.']) expect(changed.some((name) => name.startsWith(part)), part).to.equal(true)
    expect([...after.keys()].some((name) => name.startsWith('predictor.')), 'it does not travel').to.equal(false)
    expect(found.spread).to.be.within(1e-4, 0.5)
    const blind = await once({}, {}, { samples: discs.map(unlabelled) })
    expect(blind.digest).to.equal(found.digest)
    const other = await once({}, {}, { samples: discs.map((disc) => ({ ...disc, mask: disc.mask.map((code) => 1 - code) })) })
    expect(other.digest).to.equal(found.digest)
    expect((await once({ objective: 'contrast' })).digest).to.not.equal(found.digest)
  })

  it('is exactly as far from the common start as that is from itself in its first step, and drawn to it from then on', async () => {
    const one = { train: { stepsPerRound: 1 } }
    for (const objective of ['byol', 'contrast'] as const) {
      const [free, drawn] = [await once({ objective, align: 0 }, one), await once({ objective, align: 1_000 }, one)]
      expect(drawn.loss, objective).to.equal(free.loss)
    }
    const [free, drawn] = [await once({ align: 0 }), await once({ align: 10 })]
    expect(drawn.digest).to.not.equal(free.digest)
  })

  it('keeps images apart over four rounds', async () => {
    const learner = await learnerOf({ rounds: 4 })
    let adapter = learner.initialAdapter()
    let spread = 0
    for (let round = 1; round <= 4; round++) {
      const result = await trained(learner, { adapter, round })
      adapter = result.adapter
      spread = result.spread!
    }
    expect(spread).to.be.above(0.01)
    await learner.dispose()
  })

  it('then learns from what is labelled alone; a site without labels goes through the steps and lands nothing', async () => {
    const settings = { train: { supervision: ['mask', 'none'] as const satisfies TrainSettings['supervision'] } }
    const mixed = await once({}, { train: { supervision: [...settings.train.supervision] } }, { samples: half, round: 2 })
    const few = await once({}, { train: { supervision: [...settings.train.supervision] } }, { samples: half.slice(0, 2), round: 2 })
    expect(mixed.digest).to.equal(few.digest)
    const none = discs.map(unlabelled)
    const bare = await learnerOf({}, { train: { supervision: ['mask', 'none'] } })
    const first = await trained(bare, { samples: none })
    expect([first.steps, first.digest === first.before.digest()]).to.deep.equal([2, false])
    const steps: number[] = []
    const second = await trained(bare, { samples: none, round: 2, adapter: first.adapter, onProgress: ({ step }) => { steps.push(step) } })
    expect([second.steps, second.loss, second.adapter === first.adapter, second.spread]).to.deep.equal([0, 0, true, undefined])
    expect(steps).to.deep.equal([1, 2])
    await bare.dispose()
  })

  it('then keeps images without labels for what makes masks of them up, in phase G alone', () => {
    const train = defaultTrainSettings(config)
    const method = { pretrain: PRETRAINING, pseudo: PSEUDO }
    const counts = (own: MethodSettings): number[] =>
      (['G', 'L'] as const).map((phase) => labelledAfter(phase, half, { method: own, train }).length)
    expect(counts(method)).to.deep.equal([4, 2])
    expect(counts({ ...method, pseudo: { ...PSEUDO, weight: 0 } })).to.deep.equal([2, 2])
    expect(counts({ pseudo: PSEUDO })).to.deep.equal([4, 4])
  })

  it('repeats a round after a restart with what stays at the site: the predictor, and its own encoder by which it begins', async () => {
    const make = async (): Promise<Learner> => await learnerOf({ rounds: 3, stay: 0.7 })
    const [one, other, plain] = [await make(), await make(), await learnerOf({ rounds: 3 })]
    expect([one.keepsGlobal, plain.keepsGlobal]).to.deep.equal([true, true])
    const { adapter, digest } = await trained(one)
    expect(digest, 'in the first round there is no own').to.equal((await trained(plain)).digest)
    const average = { adapter: one.initialAdapter(), round: 2 }
    const kept = await one.exportPrivate()
    const names = [...kept.reveal().keys()].filter((name) => !name.startsWith('lmoe.'))
    expect(names.filter((name) => !name.startsWith('own.predictor.'))).to.deep.equal(['own.pretrain.encoder', 'own.pretrain.scale'])
    other.importPrivate(kept)
    const [here, there, moved] = [await trained(one, average), await trained(other, average), await trained(plain, average)]
    expect(there.digest).to.equal(here.digest)
    expect(here.digest, 'it begins elsewhere').to.not.equal(moved.digest)
    expect((await trained(one, { adapter, round: 3 })).steps).to.equal(2)
    await Promise.all([one.dispose(), other.dispose(), plain.dispose()])
  })

  it('is private to patients, those without labels among them', async () => {
    const parts = { unit: 'patient', clip: 1, noise: 0.1, rate: 1, slices: 1 } as const
    const privacy = { ...parts, epsilon: 8, delta: 1e-3, onExhausted: 'stop-training' } as const
    const samples = half.map((each, i) => ({ ...each, subject: `patient ${i}` }))
    const { steps, loss, spread, digest, before } = await once({}, { privacy, train: { stepsPerRound: 1 } }, { samples })
    expect([steps, spread]).to.deep.equal([1, undefined])
    expect(loss).to.be.above(0)
    expect(digest).to.not.equal(before.digest())
  })
})
