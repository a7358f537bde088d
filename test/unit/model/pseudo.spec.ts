import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Adapter } from '../../../src/adapter/adapter.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { fitSlice, move, MOTIONS, undoing, UNKNOWN, type Fitted, type Scored, type Slice } from '../../../src/dataset/index.ts'
import type { Run } from '../../../src/model/components/component.ts'
import { teachingMean } from '../../../src/model/components/mean-teacher.ts'
import { pseudoMasks } from '../../../src/model/components/pseudo-masks.ts'
import { ramp } from '../../../src/model/components/uncertainty-aware.ts'
import {
  edgeWeightedLoss, edgeWeights, edgeWindow, taughtLoss, uncertaintyLoss
} from '../../../src/model/objectives/edge-weighted.ts'
import { isSelected, measuresOf } from '../../../src/model/pseudo/certainty.ts'
import { meanOf, movedCells } from '../../../src/model/pseudo/frames.ts'
import { believedOf, MemoryPool, withEntry, type Made, type PoolEntry, type PoolStore } from '../../../src/model/pseudo/pool.ts'
import { derivedPrompt, givenPrompts, promptIn } from '../../../src/model/pseudo/prompts.ts'
import type { LearnerInit, PhaseArgs } from '../../../src/model/train/learner-args.ts'
import { PhasePlan } from '../../../src/model/train/phase-plan.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { PSEUDO } from '../../../src/settings/methods/weak.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultTrainSettings } from '../../../src/settings/training.ts'
import { PoolFile } from '../../../src/site-model/trainer/pool-file.ts'
import { testEngine } from './golden.ts'
import { config, createLearner, discs } from './learners.ts'

/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000
const SIDE = 8
const isOutdated = (): Promise<boolean> => Promise.resolve(false)

const entry = (absolute: number, relative: number, departure: number): PoolEntry =>
  ({ shares: new Uint8Array(4), measures: { absolute, relative, departure } })

const flat = (shares: readonly number[]): Uint8Array => Uint8Array.from(shares, (share) => Math.round(255 * share))

describe('motions of an image', () => {
  it('are undone exactly: the mean of views of an answer that moves with its image is the answer', () => {
    const sizes = fc.record({ down: fc.integer({ min: 1, max: SIDE }), across: fc.integer({ min: 1, max: SIDE }), seed: fc.nat() })
    fc.assert(fc.property(sizes, ({ down, across, seed }) => {
      const random = seededRandom(seed)
      const image = { side: 4 * SIDE, fittedHeight: 4 * down, fittedWidth: 4 * across }
      const answer = Float32Array.from({ length: SIDE ** 2 }, (_, cell) =>
        cell % SIDE < across && Math.floor(cell / SIDE) < down ? random() : 0)
      const views = MOTIONS.map((motion) => {
        const moved = motion.transpose ? { ...image, fittedHeight: image.fittedWidth, fittedWidth: image.fittedHeight } : image
        return movedCells(movedCells(answer, image, motion, SIDE), moved, undoing(motion), SIDE)
      })
      for (const view of views) expect(view).to.deep.equal(answer)
      expect(meanOf(views.slice(0, 3))).to.deep.equal(answer)
    }), { numRuns: 40 })
  })

  it('move given points and boxes as they move the mask', async () => {
    const mask = new Uint8Array(24 * 40).fill(UNKNOWN)
    mask[5 * 40 + 9] = 1
    const slice: Slice = {
      id: 'a',
      subject: 'a',
      index: 0,
      height: 24,
      width: 40,
      channels: 1,
      image: new Uint8Array(24 * 40),
      mask,
      kind: 'points',
      marks: { points: [[9, 5, 1]], boxes: [[8, 4, 12, 6, 1]] }
    }
    const fitted = await fitSlice(slice, 40)
    expect(fitted.given).to.deep.equal({ points: [[9.5, 5.5, 1]], boxes: [[8, 4, 12, 6, 1]] })
    for (const motion of MOTIONS) {
      const moved = move({ ...fitted, mask }, motion)
      const [[x, y]] = moved.given!.points as [[number, number, number]]
      expect(moved.mask.indexOf(1)).to.equal(Math.floor(y) * moved.fittedWidth + Math.floor(x))
      const [[x0, y0, x1, y1]] = moved.given!.boxes as [[number, number, number, number, number]]
      expect([x1 - x0, y1 - y0].sort()).to.deep.equal([2, 4])
      expect(x > x0 && x < x1 && y > y0 && y < y1).to.equal(true)
      expect(move(moved, undoing(motion)).given).to.deep.equal(fitted.given)
    }
  })
})

describe('the certainty of a pseudo-mask', () => {
  it('is measured on the cells of the image alone, and H(0.316) and H(0.684) are at the limit', () => {
    const shares = flat([1, 1, 1, 0, 0, 0.5, 0.3, 0.35])
    const pixels = Uint32Array.of(16, 16, 16, 16, 16, 16, 16, 0)
    const coarse = Float32Array.of(1, 1, 0, 0, 0, 0.5, 0.3, 0)
    const { absolute, relative, departure } = measuresOf(shares, coarse, pixels, 0.9)
    expect(absolute).to.be.closeTo(1 / 7, 1e-9)
    expect(relative).to.be.closeTo(1 / 3, 1e-9)
    expect(departure, 'an opposite answer departs most').to.be.closeTo(1 / 7, 0.02)
    expect(measuresOf(flat([0.33, 0.31, 0.67, 0.69]), coarse.slice(0, 4), Uint32Array.of(1, 1, 1, 1), 0.9).absolute).to.equal(0.5)
  })

  it('selects by both limits', () => {
    const at = (absolute: number, relative: number): boolean => isSelected({ absolute, relative, departure: 0 }, PSEUDO)
    expect([at(0.05, 0.4), at(0.1, 0.4), at(0.05, 0.5), at(0, 0)]).to.deep.equal([true, false, false, true])
  })

  it('weighs what a pool believes; what is not selected is certain of nothing', () => {
    const sure = { shares: flat([1, 0, 0.5]), measures: { absolute: 0, relative: 0, departure: 0 } }
    const unsure = { shares: flat([0, 1, 1]), measures: { absolute: 0.9, relative: 0, departure: 0 } }
    const both = believedOf([sure, unsure], PSEUDO)!
    expect([...both.shares]).to.deep.equal([255, 0, 128])
    expect([...both.certainty]).to.deep.equal([128, 128, 0])
    expect(believedOf([unsure], PSEUDO)).to.equal(undefined)
  })

  const cases: readonly (readonly [now: readonly [number, number, number], at: number | undefined])[] = [
    [[0.1, 0.1, 0.9], 0], [[0.1, 0.9, 0.1], 0], [[0.9, 0.1, 0.1], 0], [[0.1, 0.1, 0.1], 0],
    [[0.4, 0.45, 0.9], 1], [[0.9, 0.9, 0.1], undefined], [[0.3, 0.3, 0.3], 1], [[0.9, 0.9, 0.9], undefined]
  ]
  for (const [now, at] of cases) {
    it(`lets ${now.join(', ')} into a full pool ${at == null ? 'nowhere' : `at ${at}`}: by two of three measures`, () => {
      const full = [entry(0.3, 0.3, 0.3), entry(0.5, 0.5, 0.5), entry(0.3, 0.3, 0.3)]
      const next = entry(...now)
      expect(withEntry(full, next, 3).indexOf(next)).to.equal(at ?? -1)
      expect(withEntry(full.slice(0, 2), next, 3)).to.have.length(3)
    })
  }
})

describe('prompts', () => {
  it('of a coarse mask are its box, its deepest point and itself', () => {
    const coarse = new Float32Array(SIDE ** 2)
    for (let y = 1; y < 6; y++) for (let x = 2; x < 7; x++) coarse[y * SIDE + x] = 0.9
    const image = { side: 4 * SIDE, fittedHeight: 4 * SIDE, fittedWidth: 4 * SIDE } as Fitted
    const prompt = derivedPrompt(coarse, image, ['box', 'point', 'mask'])!
    expect(prompt).to.deep.equal({ boxes: [[8, 4, 28, 24, 1]], points: [[18, 14, 1]], mask: coarse })
    expect(derivedPrompt(new Float32Array(SIDE ** 2), image, ['box'])).to.equal(undefined)
    const turned = promptIn(prompt, image, { mirrorX: true, mirrorY: false, transpose: true })
    expect(turned.box).to.deep.equal([8, 8, 27, 27])
    expect(turned.points).to.deep.equal([[17.5, 17.5, 1]])
    expect(turned.mask!.reduce((sum, logit) => sum + Number(logit > 0), 0)).to.equal(25)
  })

  it('that a site gave stand above them, one at a time where the base knows no more', () => {
    const given = { points: [[3, 3, 1], [9, 9, 0], [5, 5, 1]], boxes: [] } as const
    const of = { of: 0, together: false }
    expect(givenPrompts({ given }, undefined, of)).to.deep.equal([
      { boxes: [], points: [[3, 3, 1], [9, 9, 0]] }, { boxes: [], points: [[5, 5, 1], [9, 9, 0]] }
    ])
    expect(givenPrompts({ given }, undefined, { of: 0, together: true })).to.have.length(1)
    const boxed = { ...given, boxes: [[1, 1, 4, 4, 1]] } as const
    expect(givenPrompts({ given: boxed }, undefined, of)).to.deep.equal([{ boxes: [[1, 1, 4, 4, 1]], points: [] }])
    expect(givenPrompts({}, undefined, of)).to.deep.equal([])
    const untaught = { ...of, points: false }
    expect(givenPrompts({ given }, undefined, untaught), 'a base that knows no points').to.deep.equal([])
    expect(givenPrompts({ given: boxed }, undefined, untaught)).to.have.length(1)
  })
})

describe('losses of what is guessed', function () {
  this.timeout(PATIENCE)
  before(async () => { await testEngine() })

  it('weigh edges as a double loop does', () => {
    expect([32, 112, 384].map(edgeWindow)).to.deep.equal([3, 9, 31])
    const random = seededRandom(5)
    const side = 12
    const mask = Float32Array.from({ length: side ** 2 }, () => random())
    const weights = edgeWeights(mask, side)
    const half = (edgeWindow(side) - 1) / 2
    for (let cell = 0; cell < side ** 2; cell++) {
      let sum = 0
      for (let dy = -half; dy <= half; dy++) {
        for (let dx = -half; dx <= half; dx++) {
          const [x, y] = [cell % side + dx, Math.floor(cell / side) + dy]
          if (x >= 0 && y >= 0 && x < side && y < side) sum += mask[y * side + x]!
        }
      }
      expect(weights[cell]).to.be.closeTo(1 + 5 * Math.abs(sum / (2 * half + 1) ** 2 - mask[cell]!), 1e-5)
    }
  })

  it('are the structure loss of the original where all is believed, and leave out what is not', () => {
    const random = seededRandom(6)
    const numbers = (of: () => number): number[] => Array.from({ length: 32 }, of)
    const [z, m, e] = [numbers(() => 4 * random() - 2), numbers(random), numbers(() => 1 + 5 * random())]
    const shape: [number, number, number, number] = [2, 1, 4, 4]
    const loss = (certainty: number[]): number => edgeWeightedLoss(tf.tensor(z, shape), {
      targets: tf.tensor(m, shape), edges: tf.tensor(e, shape), certainty: tf.tensor(certainty, shape)
    }).dataSync()[0]!
    const plain = [0, 1].map((image) => {
      let [bce, all, both, either] = [0, 0, 0, 0]
      for (let i = 16 * image; i < 16 * (image + 1); i++) {
        const p = 1 / (1 + Math.exp(-z[i]!))
        bce += e[i]! * -(m[i]! * Math.log(p) + (1 - m[i]!) * Math.log(1 - p))
        all += e[i]!
        both += e[i]! * p * m[i]!
        either += e[i]! * (p + m[i]!)
      }
      return bce / all + 1 - (both + 1) / (either - both + 1)
    })
    expect(loss(numbers(() => 1))).to.be.closeTo((plain[0]! + plain[1]!) / 2, 1e-4)
    expect(loss(numbers(() => 1).fill(0, 16)), 'the first image alone').to.be.closeTo(plain[0]!, 1e-4)
    expect(loss(numbers(() => 0))).to.equal(0)
  })

  it('of undecided answers are 0, 1, 0 at 0, ½ and 1, with the gradient of 4p(1 − p)', () => {
    const at = (logit: number): number => uncertaintyLoss(tf.tensor([[logit]]), undefined).dataSync()[0]!
    for (const [logit, wanted] of [[-100, 0], [0, 1], [100, 0]] as const) expect(at(logit)).to.be.closeTo(wanted, 1e-6)
    const slope = tf.grad((x) => uncertaintyLoss(x, undefined))
    for (const [logit, wanted] of [[-100, 0], [0, 0], [100, 0], [1, 4 * 0.19661193 * (1 - 2 * 0.73105858)]] as const) {
      expect(slope(tf.tensor([[logit]])).dataSync()[0]).to.be.closeTo(wanted, 1e-5)
    }
    expect(uncertaintyLoss(tf.tensor([[0, 9]]), tf.tensor([[0, 0]])).dataSync()[0]).to.equal(0)
    expect([0, 0.5, 1].map((part) => Math.round(1e9 * ramp(part)) / 1e9)).to.deep.equal([0, 0.5, 1])
  })

  it('by a teacher pull where nothing is known, by how certain it is', () => {
    const slope = tf.grad((x) => taughtLoss(x, { teacher: tf.tensor([[9, 9, 0]]), unknown: tf.tensor([[1, 0, 1]]) }))
    const [pulled, known, undecided] = slope(tf.tensor([[0, 0, 1]])).dataSync()
    expect(pulled).to.be.below(-0.2)
    expect(known).to.equal(0)
    expect(undecided).to.be.closeTo(0, 1e-5)
  })

  it('draw nothing of what is known, whatever is guessed there', () => {
    const shape: [number, number, number, number] = [1, 1, 2, 2]
    const { terms } = pseudoMasks(PSEUDO, { maskSide: 2, classes: 1 })
    const slopes = (known: number[] | undefined, guesses: number[]): number[] => {
      const of = (values: number[]): tf.Tensor => tf.tensor(values, shape)
      const weights = { '@guesses': of(guesses), '@edges': of([1, 1, 1, 1]), '@certainty': of([1, 1, 1, 1]) }
      const run = (masks: tf.Tensor): unknown => ({ student: { masks }, weights, targets: of([0, 0, 0, 0]), known: known && of(known) })
      return [...tf.grad((z) => terms!.G![0]!.loss(run(z) as Run))(of([0.5, -0.5, 1, 2])).dataSync()]
    }
    const [one, other] = [slopes([1, 0, 1, 0], [1, 1, 0, 0]), slopes([1, 0, 1, 0], [0, 1, 1, 0])]
    expect(one).to.deep.equal(other)
    expect([one[0]!, one[2]!].map(Math.abs)).to.deep.equal([0, 0])
    expect(Math.abs(one[1]!)).to.be.above(0.01)
    expect(slopes(undefined, [1, 1, 0, 0]).map(Math.abs), 'of whole masks nothing').to.deep.equal([0, 0, 0, 0])
  })

  it('have a teacher that is the mean of the student over its steps', () => {
    const weak = [{ ...discs[0]!, kind: 'none' as const }]
    const teaching = teachingMean({ ema: 0.5, weight: 2 }, weak, Float32Array.of(0))
    const steps = [[1, 0], [2, 4], [2, 4], [3, 4]] as const
    const means = steps.map(([step, value]) => teaching(step, Float32Array.of(value))['@teacherGamma']!.data[0])
    expect(means, 'asked twice of a step, it says the same').to.deep.equal([0, 2, 2, 3])
    expect(teachingMean({ ema: 0.5, weight: 2 }, discs, Float32Array.of(0))(1, Float32Array.of(1))).to.deep.equal({})
    expect(teachingMean({ ema: 0.5, weight: 0 }, weak, Float32Array.of(0))(1, Float32Array.of(1))).to.deep.equal({})
  })
})

describe('a learner with pseudo-masks', () => {
  const unlabelled = (sample: Scored): Scored => ({ ...sample, kind: 'none', mask: new Uint8Array(sample.mask.length).fill(UNKNOWN) })
  const boxed = (sample: Scored): Scored =>
    ({ ...unlabelled(sample), kind: 'box', given: { points: [], boxes: [[20, 20, 80, 80, 1]] } })
  const samples = [discs[0]!, discs[1]!, unlabelled(discs[2]!), boxed(discs[3]!)]
  const withoutExperts = { moe: { ...defaultModelSettings(config).moe, blocks: [] } }
  const ALL: typeof PSEUDO = { ...PSEUDO, absolute: 1, relative: 1e6, views: 2 }

  interface Rounds { readonly rounds?: number, readonly given?: readonly Scored[], readonly pool?: PoolStore }

  async function trained (method: MethodSettings, { rounds = 1, given = samples, pool = new MemoryPool() }: Rounds = {}) {
    const learner = await createLearner({ engine: await testEngine(), model: withoutExperts, method })
    const made: Made[] = []
    let adapter = learner.initialAdapter()
    try {
      for (let round = 1; round <= rounds; round++) {
        const onMade = (_: Fitted, _of: number, one: Made): void => { made.push(one) }
        adapter = (await learner.train('G', { adapter, samples: given, round, pool, onMade })).adapter
      }
      return { digest: adapter.digest(), pool: await pool.load(), made }
    } finally {
      await learner.dispose()
    }
  }

  /** The same, by a trainer that is ended in the first step of each round, and by another one that has its files. */
  async function resumed (method: MethodSettings, folder: string, rounds: number) {
    let adapter: Adapter | undefined
    for (let round = 1; round <= rounds; round++) {
      for (const isEnded of [true, false]) {
        const learner = await createLearner({ engine: await testEngine(), model: withoutExperts, method })
        adapter ??= learner.initialAdapter()
        const onProblem = (reason: string): void => { throw new Error(reason) }
        const pool = new PoolFile(folder, { schemaHash: learner.schema.hash, onProblem, isOutdated })
        const stop = new AbortController()
        const training = learner.train('G', {
          adapter, samples, round, pool, signal: stop.signal, onProgress: () => { if (isEnded) stop.abort(new Error('ended')) }
        })
        const { adapter: next } = await training.catch((error: unknown) => {
          if (!isEnded || error !== stop.signal.reason) throw error
          return { adapter: undefined }
        }).finally(async () => { await learner.dispose() })
        expect(next == null, 'ended before the phase was').to.equal(isEnded)
        adapter = next ?? adapter
        if (!isEnded) continue
        expect((await pool.load()).round, 'kept before the round trains').to.equal(round)
      }
    }
    const last = new PoolFile(folder, { schemaHash: adapter!.schema.hash, onProblem: () => {}, isOutdated })
    return { digest: adapter!.digest(), pool: await last.load() }
  }

  let plain: Awaited<ReturnType<typeof trained>>
  before(async function () {
    this.timeout(PATIENCE)
    plain = await trained({})
  })

  it('of weight 0, with a teacher and a loss of weight 0, trains bit for bit as without', async () => {
    const nothing = { pseudo: { ...ALL, weight: 0 }, teacher: { ema: 0.99, weight: 0 }, uncertaintyAware: 0 }
    const without = await trained(nothing)
    expect(without.digest).to.equal(plain.digest)
    expect(without.pool.images.size).to.equal(0)
  }).timeout(PATIENCE)

  it('trains on batches of which half have labels, so that few are not crowded out', () => {
    const [whole, ...bare] = [discs[0]!, ...discs.slice(1).map(unlabelled)]
    const kindsBy = (method: MethodSettings): (string | undefined)[][] => {
      const plan = new PhasePlan({ train: defaultTrainSettings(config), method, siteSeed: 1 } as LearnerInit)
      const args = { samples: [whole, ...bare], round: 1 } as unknown as PhaseArgs
      const [first, second] = plan.batches('G', args, { from: 0, steps: 2 })
      return [first, second].map((batch) => batch!.samples.map(({ kind }) => kind))
    }
    for (const method of [{ pseudo: PSEUDO }, { teacher: { ema: 0.9, weight: 1 } }]) {
      expect(kindsBy(method)).to.deep.equal([[undefined, 'none'], [undefined, 'none']])
    }
    const nothing = { pseudo: { ...PSEUDO, weight: 0 }, teacher: { ema: 0.9, weight: 0 } }
    expect(kindsBy(nothing)).to.deep.equal(kindsBy({}))
  })

  it('makes no more in a round than the settings say, and the next images in the next round', async () => {
    const one = { pseudo: { ...ALL, images: 1 } }
    const first = await trained(one)
    const second = await trained(one, { rounds: 2 })
    expect([first, second].map(({ pool: { images } }) => images.size)).to.deep.equal([1, 2])
    const all = await trained({ pseudo: ALL })
    for (const [key, entries] of first.pool.images) expect(all.pool.images.get(key), 'as without a bound').to.deep.equal(entries)
  }).timeout(PATIENCE)

  it('trains as without where all images have whole masks', async () => {
    const given = discs.slice(0, 2)
    const method = { pseudo: ALL, teacher: { ema: 0.9, weight: 1 } }
    expect((await trained(method, { given })).digest).to.equal((await trained({}, { given })).digest)
  }).timeout(PATIENCE)

  it('asked of the model as it came learns from them', async () => {
    const { digest, made } = await trained({ pseudo: { ...ALL, generator: 'frozen' } })
    expect(made.length, 'of the boxed image at least').to.be.within(1, 2)
    expect(digest).to.not.equal(plain.digest)
  }).timeout(PATIENCE)

  it('asked of the shared adapter learns from them, and makes the same pool when it is ended in each round and goes on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-pool-'))
    const method = { pseudo: ALL, teacher: { ema: 0.9, weight: 1 } }
    try {
      const [one, again] = [await trained(method, { rounds: 2 }), await resumed(method, folder, 2)]
      expect(one.made.length, 'the boxed image in both rounds').to.be.within(2, 4)
      expect(one.digest).to.not.equal(plain.digest)
      expect(again).to.deep.equal({ digest: one.digest, pool: one.pool })
      expect(one.pool.round).to.equal(2)
    } finally {
      await rm(folder, { recursive: true })
    }
  }).timeout(PATIENCE)

  it('makes nothing anew in a round that its pool has, and forgets images that are gone', async () => {
    const learner = await createLearner({ engine: await testEngine(), model: withoutExperts, method: { pseudo: ALL } })
    const pool = new MemoryPool()
    const adapter = learner.initialAdapter()
    const made: Made[] = []
    const onMade = (_: Fitted, _of: number, one: Made): void => { made.push(one) }
    try {
      await learner.train('G', { adapter, samples, round: 1, pool, onMade })
      const [kept, count] = [await pool.load(), made.length]
      await learner.train('G', { adapter, samples, round: 1, pool, onMade })
      expect(made.length).to.equal(count)
      expect(await pool.load()).to.equal(kept)
      await learner.train('G', { adapter, samples: samples.slice(0, 2), round: 1, pool, onMade })
      expect((await pool.load()).images.size).to.equal(0)
    } finally {
      await learner.dispose()
    }
  }).timeout(PATIENCE)

  it('and a mean teacher and the uncertainty-aware loss each change what is learnt', async () => {
    for (const method of [{ teacher: { ema: 0.5, weight: 1 } }, { uncertaintyAware: 2 }]) {
      expect((await trained(method)).digest).to.not.equal(plain.digest)
    }
  }).timeout(PATIENCE)
})
