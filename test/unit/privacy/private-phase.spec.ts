import { expect } from 'chai'
import fc from 'fast-check'
import type { CompiledStep, HostRecord } from '../../../src/compute/index.ts'
import type { Fitted } from '../../../src/dataset/index.ts'
import { runPrivatePhase, summedGradients, type PrivateRun } from '../../../src/model/train/private-phase.ts'
import type { Mechanism } from '../../../src/privacy/mechanism.ts'
import { createLearner, discs } from '../model/learners.ts'

const SIZE = 4
const parts = { unit: 'patient', clip: 1, noise: 2, rate: 0.5, slices: 2 } as const
const mechanism: Mechanism = { ...parts, epsilon: 8, delta: 1e-3, onExhausted: 'stop-training' }
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.sqrt(Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0))

/** The gradient of an image is what it says, whatever that is. */
const stated: CompiledStep = {
  run: async (feeds: HostRecord) => {
    const gradient = feeds['@images']!.data as Float32Array
    return { loss: { shape: [1], data: Float32Array.of(1) }, gradient: { shape: [SIZE], data: gradient } }
  },
  dispose: async () => {}
}
/** Goes down by the gradient. */
const descent: CompiledStep = {
  run: async ({ '@gamma': gamma, '@gradient': gradient, '@first': first, '@second': second }: HostRecord) => {
    const value = (gamma!.data as Float32Array).map((each, i) => each - gradient!.data[i]!)
    return { value: { shape: [SIZE], data: value }, first: first!, second: second! }
  },
  dispose: async () => {}
}

type Patient = readonly Float32Array[]
const slice = (subject: string, gradient: Float32Array): Fitted => ({ subject, gradient }) as unknown as Fitted
const patient = (values: Patient, subject = 'a'): Fitted[] => values.map((gradient) => slice(subject, gradient))
const zeros = (): Float32Array => new Float32Array(SIZE)

function run (more: Partial<PrivateRun> = {}): PrivateRun {
  return {
    steps: { gradient: stated, update: descent },
    mechanism,
    samples: [],
    augment: false,
    length: { most: 1, least: 1 },
    start: { value: zeros(), first: zeros(), second: zeros() },
    fixed: { '@rate': { shape: [SIZE], data: zeros() }, '@decay': { shape: [SIZE], data: zeros() } },
    feeds: async ([image]) => ({ '@images': { shape: [SIZE], data: (image as unknown as { gradient: Float32Array }).gradient } }),
    inputs: (_, value) => ({ '@gamma': { shape: [SIZE], data: value } }),
    ...more
  }
}

const gradient = fc.float32Array({ minLength: SIZE, maxLength: SIZE })
const images = fc.array(gradient, { minLength: 1, maxLength: 4 })
const alike = (): number => 0.25

describe('a step that is private to patients', () => {
  const sumOf = async (patients: readonly Patient[]): Promise<Float64Array> =>
    await summedGradients(run(), patients.map((each) => patient(each)), { value: zeros(), step: 1 }, alike)

  it('moves by 2·clip at most when a patient is another, and by clip when one comes or goes, whatever the gradients are', async () => {
    await fc.assert(fc.asyncProperty(fc.array(images, { maxLength: 4 }), images, images, async (others, one, other) => {
      const [with_, without, instead] = [await sumOf([...others, one]), await sumOf(others), await sumOf([...others, other])]
      expect(distance(with_, without)).to.be.at.most(mechanism.clip + 1e-9)
      expect(distance(with_, instead)).to.be.at.most(2 * mechanism.clip + 1e-9)
      expect(with_.every(Number.isFinite)).to.equal(true)
    }))
  })

  it('takes a patient as one, however many images it has', async () => {
    const own = Float32Array.of(0.3, 0, 0, 0)
    for (const count of [1, 2, 7]) expect([...await sumOf([Array.from({ length: count }, () => own)])]).to.deep.equal([own[0], 0, 0, 0])
  })

  it('takes each with the rate as probability, adds noise of noise times clip to the sum, and divides by those expected', async () => {
    const draws = [0.4, 0.6, 0.1]
    const samples = ['a', 'b', 'c'].flatMap((subject, i) => patient([Float32Array.of(i + 1, 0, 0, 0)], subject))
    const random = (): number => draws.shift() ?? 0.5
    const { trained, steps, loss } = await runPrivatePhase(run({ samples, secret: { random, normal: () => 0.25 } }))
    // a and c, each shortened to 1, and noise of 2 × 1 × 0.25, over 0.5 × 3 patients.
    const expected = [-(2 + 0.5) / 1.5, -0.5 / 1.5, -0.5 / 1.5, -0.5 / 1.5]
    expect(distance(trained.value, expected)).to.be.below(1e-6)
    expect([steps, loss]).to.deep.equal([1, 1])
  })

  it('is as many as asked for, also of steps without any patient, which are noise alone', async () => {
    const rare = { ...mechanism, rate: 1e-9 }
    const { trained, steps } = await runPrivatePhase(run({ samples: patient([zeros()]), length: { most: 5, least: 1 }, mechanism: rare }))
    expect(steps).to.equal(5)
    expect(trained.value.every((value) => value !== 0 && Number.isFinite(value))).to.equal(true)
  })

  it('needs to know whose an image is', async () => {
    const samples = [{ ...slice('a', zeros()), subject: undefined } as unknown as Fitted]
    const failure: unknown = await runPrivatePhase(run({ samples })).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(TypeError)
  })
})

describe('a learner that is private to patients', function () {
  this.timeout(120_000)

  it('without noise and clipping, of one patient, learns what an ordinary one learns', async () => {
    const length = { stepsPerRound: 2, batchSize: 1, epochsG: undefined, epochsL: undefined }
    const train = { ...length, clipNorm: 1e9, augment: false, teacherG: 'global' } as const
    const samples = [{ ...discs[0]!, subject: 'a' }]
    const open = { ...mechanism, noise: 0, clip: 1e9, rate: 1 }
    const adapters = []
    for (const privacy of [undefined, open]) {
      const learner = await createLearner({ train, ...(privacy == null ? {} : { privacy }) })
      const { adapter, steps } = await learner.train('G', { adapter: learner.initialAdapter(), samples, round: 2 })
      expect(steps).to.equal(2)
      adapters.push(adapter.values)
      await learner.dispose()
    }
    const moved = distance(adapters[0]!, (await createLearner({ train })).initialAdapter().values)
    expect(moved).to.be.above(0.01)
    expect(distance(adapters[0]!, adapters[1]!)).to.be.below(1e-3 * moved)
  })
})
