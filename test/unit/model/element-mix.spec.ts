import { expect } from 'chai'
import fc from 'fast-check'
import { Adapter } from '../../../src/adapter/adapter.ts'
import { mixedOf, mixedParts, mixtureOf, type MixedParts, type MixSettings } from '../../../src/model/parameters/element-mix.ts'
import { globalGroups } from '../../../src/model/parameters/shared-set.ts'
import { createLayout } from '../../../src/model/parameters/layout.ts'
import { ratesInTurn } from '../../../src/model/train/alternation.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { learnTaken, type MixLearning } from '../../../src/model/train/learn-mix.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { defaultModelSettings, type ModelSettings } from '../../../src/settings/model.ts'
import { config, createLearner, discs } from './learners.ts'

const SETTINGS: MixSettings = { of: ['decoder'], eta: 1, steps: 2, tolerance: 0, warmupRounds: 0 }
const NO_EXPERTS: ModelSettings['moe'] = { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' }
/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000
/** Of five numbers the second and third, and the last. */
const PARTS: MixedParts = { stretches: [{ begin: 1, end: 3 }, { begin: 4, end: 5 }], size: 3 }

const numbers = (length: number): fc.Arbitrary<Float32Array> =>
  fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true, min: -8, max: 8 })

describe('a mixture of an adapter, number by number', () => {
  it('is the average where all of it is taken, the own where nothing is, and between them otherwise; of other numbers the average', () => {
    fc.assert(fc.property(numbers(5), numbers(3), numbers(5), (shared, own, other) => {
      const all = Float32Array.of(1, 1, 1)
      const none = Float32Array.of(0, 0, 0)
      expect(mixtureOf({ own, taken: all }, shared, PARTS)).to.deep.equal(shared)
      // Whichever 0 it is.
      const unsigned = (values: Float32Array): Float32Array => values.map((each) => each + 0)
      for (const x of [shared, other]) {
        expect(unsigned(mixedOf(mixtureOf({ own, taken: none }, x, PARTS), PARTS))).to.deep.equal(unsigned(own))
      }
      const half = mixtureOf({ own, taken: Float32Array.of(0.5, 0.25, 0.75) }, shared, PARTS)
      expect([half[0], half[3]]).to.deep.equal([shared[0], shared[3]])
      expect(half[2]).to.be.closeTo(0.75 * own[1]! + 0.25 * shared[2]!, 1e-5)
    }))
  })

  it('is of the tensors of its groups alone', async () => {
    const learner = await createLearner({ model: { moe: NO_EXPERTS } })
    const groups = globalGroups(config, { ...defaultModelSettings(config), moe: NO_EXPERTS })
    const { stretches, size } = mixedParts(learner.schema, groups, { of: ['decoder'] })
    const of = createLayout(learner.schema.tensors).entries.filter(({ offset, size: length }) =>
      stretches.some(({ begin, end }) => begin === offset && end === offset + length))
    expect(of.every(({ name }) => name.startsWith('mask_decoder.'))).to.equal(true)
    expect(size).to.equal(of.reduce((sum, each) => sum + each.size, 0))
    const whole = mixedParts(learner.schema, groups, { of: ['encoder', 'decoder'] })
    expect(whole.size).to.equal(learner.schema.size)
    await learner.dispose()
  })

  const state = { own: Float32Array.of(0, 0, 0), taken: Float32Array.of(1, 1, 1), round: 1, learnt: 1 }
  const learning = (over: Partial<MixLearning>): MixLearning =>
    ({ settings: SETTINGS, parts: PARTS, state, shared: Float32Array.of(9, 1, -2, 9, 0), share: 1, ...over, slopeAt: over.slopeAt! })

  it('is learnt by the rule: against the slope, times what the average is away, and never beyond 0 and 1', async () => {
    const seen: number[][] = []
    const taken = await learnTaken(learning({
      slopeAt: async (adapter) => {
        seen.push([...adapter])
        return { loss: 1, gradient: Float32Array.of(7, 0.1, 0.2, 7, 5) }
      }
    }))
    // Away: 1, -2, 0. After one step 0.9, 1.4 that is 1, 1; after two 0.8, 1, 1.
    expect(seen[0]).to.deep.equal([9, 1, -2, 9, 0])
    expect(seen[1]!.map((each) => Math.fround(each))).to.deep.equal([9, Math.fround(0.9), -2, 9, 0])
    expect(seen).to.have.length(2)
    expect(taken[0]).to.be.closeTo(0.8, 1e-6)
    expect([...taken.slice(1)]).to.deep.equal([1, 1])
  })

  it('stays between 0 and 1 whatever slopes there are', async () => {
    const etas = fc.float({ min: Math.fround(0.01), max: 1e6, noNaN: true })
    await fc.assert(fc.asyncProperty(numbers(5), numbers(5), etas, async (shared, gradient, eta) => {
      const settings = { ...SETTINGS, eta, steps: 3 }
      const taken = await learnTaken(learning({ settings, shared, slopeAt: async () => ({ loss: 0, gradient }) }))
      for (const each of taken) expect(each).to.be.within(0, 1)
    }))
  })

  it('takes as many steps as are asked; the first time until ten losses hardly differ, five times as many at most', async () => {
    const stepsOf = async (over: Partial<MixLearning>, losses = (_step: number): number => 1): Promise<number> => {
      let steps = 0
      await learnTaken(learning({ ...over, slopeAt: async () => ({ loss: losses(++steps), gradient: new Float32Array(5) }) }))
      return steps
    }
    const settings = { ...SETTINGS, steps: 4, tolerance: 0.1 }
    const first = { ...state, learnt: 0 }
    expect(await stepsOf({ settings })).to.equal(4)
    expect(await stepsOf({ settings, share: 0.25 })).to.equal(1)
    expect(await stepsOf({ settings, state: first })).to.equal(10)
    expect(await stepsOf({ settings, state: first }, (step) => step < 5 ? 10 : 1)).to.equal(14)
    expect(await stepsOf({ settings, state: first }, (step) => step % 2)).to.equal(20)
    expect(await stepsOf({ settings, isEnough: () => true })).to.equal(0)
    expect(await stepsOf({ settings, shared: Float32Array.of(9, 0, 0, 9, 0) }), 'the average is its own').to.equal(0)
  })
})

describe('a learner that mixes number by number', function () {
  this.timeout(PATIENCE)
  const learnerOf = async (method: MethodSettings): Promise<Learner> => await createLearner({ model: { moe: NO_EXPERTS }, method })
  const moved = (learner: Learner, { values }: Adapter): Adapter =>
    new Adapter(learner.schema, values.map((each, i) => each + 0.01 * Math.cos(i)))

  it('trains as without it while all is taken, bit for bit', async () => {
    const digests: string[][] = []
    for (const method of [{}, { elementMix: { ...SETTINGS, eta: 1e-30 } }, { elementMix: { ...SETTINGS, eta: 1e6, warmupRounds: 2 } }]) {
      const learner = await learnerOf(method)
      const first = (await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round: 1 })).adapter
      const second = (await learner.train('G', { adapter: moved(learner, first), samples: discs, round: 2 })).adapter
      digests.push([first.digest(), second.digest()])
      await learner.dispose()
    }
    expect(digests[1]).to.deep.equal(digests[0])
    expect(digests[2]).to.deep.equal(digests[0])
  })

  it('learns what to take, lands what its mixture moves by, serves the mixture, and goes on from what was saved', async () => {
    const method = { elementMix: { ...SETTINGS, eta: 1e4 } }
    const [learner, again] = [await learnerOf(method), await learnerOf(method)]
    const first = (await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round: 1 })).adapter
    const shared = moved(learner, first)
    again.importPrivate(await learner.exportPrivate())
    const landed = []
    for (const each of [learner, again]) landed.push((await each.train('G', { adapter: shared, samples: discs, round: 2 })).adapter)
    expect(landed[0]!.digest()).to.equal(landed[1]!.digest())
    const own = (await learner.exportPrivate()).reveal()
    const taken = own.get('own.mix.taken')!.data
    for (const each of taken) expect(each).to.be.within(0, 1)
    expect(taken.filter((each) => each < 1).length, 'numbers of which not all is taken').to.be.above(taken.length / 20)
    // x′ = x + (θ′ − θ) of the mixed numbers, θ the mixture that training began from.
    const groups = globalGroups(config, { ...defaultModelSettings(config), moe: NO_EXPERTS })
    const parts = mixedParts(learner.schema, groups, SETTINGS)
    const start = mixtureOf({ own: mixedOf(first.values, parts), taken }, shared.values, parts)
    const after = own.get('own.mix.own')!.data
    const [x, began, ended] = [shared.values, start, landed[0]!.values].map((each) => mixedOf(each, parts))
    ended!.forEach((each, i) => { expect(each - x![i]!).to.be.closeTo(after[i]! - began![i]!, 1e-5) })
    const masks = async (mode: 'global' | 'personal'): Promise<string> =>
      (await learner.segment({ adapter: shared, samples: discs, mode })).map((each) => each.join('')).join()
    expect(await masks('personal')).to.not.equal(await masks('global'))
    await Promise.all([learner, again].map(async (each) => { await each.dispose() }))
  })
})

describe('steps that take turns', function () {
  this.timeout(PATIENCE)
  const layout = createLayout([
    { name: 'image_encoder.a', shape: [1] },
    { name: 'mask_decoder.mask_tokens.weight', shape: [1] },
    { name: 'mask_decoder.output_hypernetworks_mlps.0.layers.2.weight', shape: [1] },
    { name: 'mask_decoder.output_upscaling.0.weight', shape: [1] },
    { name: 'mask_decoder.passes.1.mask_tokens.weight', shape: [1] }
  ])

  it('train the head, then everything else, and again; what lies beyond the layout always', () => {
    const rates = ratesInTurn(layout, Float32Array.of(1, 2, 3, 4, 5, 6), { head: 2, body: 1 })
    const at = (step: number): number[] => [...rates(step)['@rate']!.data]
    for (const step of [1, 2, 4, 5]) expect(at(step), String(step)).to.deep.equal([0, 2, 3, 0, 5, 6])
    for (const step of [3, 6]) expect(at(step), String(step)).to.deep.equal([1, 0, 0, 4, 0, 6])
    expect(ratesInTurn(layout, new Float32Array(5), undefined)(1)).to.deep.equal({})
  })

  it('leave what has no turn as it is, bit for bit', async () => {
    const changed = async (alternate: NonNullable<MethodSettings['alternate']>): Promise<Set<string>> => {
      const learner = await createLearner({ model: { moe: NO_EXPERTS }, method: { alternate } })
      const start = learner.initialAdapter()
      const { adapter } = await learner.train('G', { adapter: start, samples: discs, round: 1 })
      const before = new Map(start.tensors())
      await learner.dispose()
      return new Set([...adapter.tensors()].flatMap(([name, { data }]) =>
        data.some((each, i) => each !== before.get(name)!.data[i]) ? [name] : []))
    }
    const isHead = (name: string): boolean => /mask_tokens|output_hypernetworks_mlps/.test(name)
    const head = await changed({ head: 100, body: 1 })
    expect(head.size).to.be.above(1)
    expect([...head].every(isHead)).to.equal(true)
    const both = await changed({ head: 1, body: 1 })
    expect([...both].some(isHead)).to.equal(true)
    expect([...both].some((name) => !isHead(name))).to.equal(true)
  })
})
