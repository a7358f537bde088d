import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { Adapter } from '../../../src/adapter/adapter.ts'
import { PrivateSet } from '../../../src/adapter/private-set.ts'
import { mixture } from '../../../src/model/blocks/mixture.ts'
import type { CompiledStep, Step } from '../../../src/compute/index.ts'
import type { Received } from '../../../src/model/components/component.ts'
import { pullIn } from '../../../src/model/components/relations.ts'
import { createLayout } from '../../../src/model/parameters/layout.ts'
import { layersOf, relationSizes, type RelationSettings, type RelationSizes } from '../../../src/model/parameters/relations.ts'
import { scalar, vector } from '../../../src/model/train/host-records.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { farCores, mixtureFrom, relationsTo, trainRelated, type RelatedPhase } from '../../../src/model/train/related.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import { testEngine } from './golden.ts'
import { createLearner, discs } from './learners.ts'

const SETTINGS: RelationSettings = { rate: 1e-3, pull: 0.1, fade: 'exponential', pulled: 0.1, peers: 3, by: 'model' }
const NO_EXPERTS: ModelSettings['moe'] = { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' }
/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000
const FOUR: RelationSizes = { size: 1, layers: [1], others: 3 }

interface Scalars { core: number, relations: number[], shared: number, before: number, others: number[] }

/** Gradients of the loss ½(w − target)² of scalar cores, to the own one and to relations. */
const gradientStep: Step = (t) => {
  const { '@shared': shared, '@before': before, '@departures': departures, '@held': held, '@prior': prior, '@target': target } = t
  const loss = (core: tf.Tensor, relations: tf.Tensor): tf.Scalar => {
    const w = mixture({ core, relations, shared: shared!, before: before!, departures: departures!, held: held!, prior: prior! }, FOUR)
    return tf.sum(tf.mul(0.5, tf.square(tf.sub(w, target!))))
  }
  const [core, relations] = tf.grads(loss)([t['@core']!, t['@relations']!])
  return { core: core!, relations: relations! }
}

async function gradientsOf (
  step: CompiledStep,
  { core, relations, shared, before, others }: Scalars,
  target: number
): Promise<{ core: number, relations: number[] }> {
  const found = await step.run({
    '@core': vector(Float32Array.of(core)),
    '@relations': vector(Float32Array.from(relations)),
    '@shared': vector(Float32Array.of(shared)),
    '@before': vector(Float32Array.of(before)),
    '@departures': { shape: [4, 1], data: Float32Array.from([before, ...others], (each) => each - shared) },
    '@held': vector(new Float32Array(4).fill(1)),
    '@prior': scalar(0.25),
    '@target': scalar(target)
  })
  return { core: found['core']!.data[0]!, relations: [...found['relations']!.data] }
}

function close (found: ArrayLike<number>, expected: readonly number[], within: number): void {
  expect(found.length).to.equal(expected.length)
  expected.forEach((each, i) => { expect(found[i]).to.be.closeTo(each, within) })
}

describe('a mixture of cores', function () {
  this.timeout(PATIENCE)
  let step: CompiledStep

  before(async () => { step = (await testEngine()).compile(gradientStep) })

  after(async () => { await step.dispose() })

  it('has the gradients of the specification', async () => {
    const found = await gradientsOf(step, { core: 1, relations: [0, 0, 0, 0], shared: 1.25, before: 1, others: [2, -1, 3] }, 1)
    expect(found.core).to.be.closeTo(0.0625, 1e-6)
    close(found.relations, [-0.0625, 0.1875, -0.5625, 0.4375], 1e-6)
  })

  it('finds two groups of sites, as the specification says, and brings each to its own target', async () => {
    const targets = [1, 1.2, -1, -1.2]
    let cores = [0.1, -0.1, 0.05, -0.05]
    const relations = targets.map(() => [0, 0, 0, 0])
    const parts: number[][] = []
    for (let round = 1; round <= 200; round++) {
      const shared = cores.reduce((sum, each) => sum + each, 0) / 4
      const pull = pullIn(round, 200, SETTINGS)
      cores = await Promise.all(cores.map(async (before, site) => {
        const others = cores.filter((_, other) => other !== site)
        let core = before
        let own = relations[site]!
        for (let at = 0; at < 10; at++) {
          const found = await gradientsOf(step, { core, relations: own, shared, before, others }, targets[site]!)
          core -= 0.05 * found.core
          own = own.map((each, i) => each - 0.01 * (found.relations[i]! + 2 * pull * each))
        }
        relations[site] = own
        return core
      }))
    }
    for (const [site, [self = 0, ...others]] of relations.entries()) {
      const left = 0.25 * (1 - self - others.reduce((sum, each) => sum + each, 0))
      parts[site] = others.map((each) => left + each)
      parts[site].splice(site, 0, left + self)
    }
    close(parts[0]!, [0.532, 0.432, 0.081, -0.045], 1e-3)
    close(parts[2]!, [-0.027, 0.072, 0.416, 0.540], 1e-3)
    close(cores, [1.114, 0.961, -0.810, -1.300], 1e-3)
  })

  it('is drawn to the average in the first rounds, less and less', () => {
    const by = { ...SETTINGS, pulled: 0.5 }
    close([1, 2, 3, 5, 6].map((round) => pullIn(round, 10, by)), [0.1, 0.1 * 0.001 ** 0.2, 0.1 * 0.001 ** 0.4, 0.1 * 0.001 ** 0.8, 0], 1e-9)
    expect(pullIn(2, 4, { ...SETTINGS, fade: 'cosine', pulled: 0.5 })).to.be.closeTo(0.05, 1e-9)
    expect(pullIn(1, 4, { ...SETTINGS, pulled: 0 })).to.equal(0)
    expect(pullIn(50, Infinity, SETTINGS)).to.be.closeTo(0.1, 1e-9)
  })

  it('has a relation to each layer where it is asked', () => {
    const names = ['e.blocks.0.a', 'e.blocks.0.b', 'e.blocks.10.a', 'e.layers.1.blocks.2.a', 'm.iou.weight', 'm.up.0.w', 'm.up.1.w']
    const layout = createLayout(names.map((name, i) => ({ name, shape: [i + 1] })))
    const sizes = relationSizes(layout, { by: 'layer', peers: 2 })
    expect(sizes.layers).to.deep.equal([3, 3, 4, 5, 13])
    expect([...layersOf(sizes)].join('')).to.equal('000' + '111' + '2222' + '33333' + '4'.repeat(13))
    expect(relationSizes(layout, { by: 'model', peers: 2 }).layers).to.deep.equal([28])
  })
})

describe('relations of a site', () => {
  const core = (peer: string, ...values: number[]): { peer: string, values: Float32Array } => ({ peer, values: Float32Array.from(values) })
  /** Each relation to a core that is held becomes larger by its row's number; the own core moves by 1. */
  const fit: RelatedPhase['fit'] = async (values, { '@held': held }) => ({
    value: values.map((each, i) => i < 2 ? each + 1 : each + held!.data[i - 2]! * (i - 1)),
    loss: 0,
    steps: 1
  })
  const sizes: RelationSizes = { size: 2, layers: [2], others: 2 }
  const phase = { sizes, shared: Float32Array.of(0, 0), fit }

  it('stay with the sites that they are to, whatever the order in which these come', async () => {
    const first = await trainRelated({ ...phase, state: undefined, round: 1, cores: [core('b', 1, 1), core('c', 1, 2)] })
    expect([...first.state.relations]).to.deep.equal([1, 2, 3])
    const turned = await trainRelated({ ...phase, state: first.state, round: 2, cores: [core('c', 1, 2), core('b', 1, 1)] })
    expect([...turned.state.relations]).to.deep.equal([2, 4, 6])
    expect([...turned.state.lent]).to.deep.equal([2 * 2 + 4 + 6, 2 * 2 + 4 + 12])
  })

  it('count for nothing while a site shows nothing, and are no other site\'s when its place is taken', async () => {
    const first = await trainRelated({ ...phase, state: undefined, round: 1, cores: [core('b', 1, 1), core('c', 1, 2)] })
    const alone = await trainRelated({ ...phase, state: first.state, round: 2, cores: [core('b', 1, 1)] })
    expect([...alone.state.relations]).to.deep.equal([2, 4, 3])
    expect([...alone.state.taken]).to.deep.equal([6])
    expect([...mixtureFrom(alone.state, Float32Array.of(10, 0), sizes)]).to.deep.equal([-50 + 2 * 2 + 4, 2 * 2 + 4])
    const other = await trainRelated({ ...phase, state: alone.state, round: 3, cores: [core('b', 1, 1), core('d', 1, 1)] })
    expect([...other.state.relations]).to.deep.equal([3, 6, 3])
  })

  it('are known by the names of the sites, as means over layers', async () => {
    const { state } = await trainRelated({ ...phase, state: undefined, round: 1, cores: [core('b', 1, 1), core('c', 1, 2)] })
    expect(relationsTo(state, ['c', 'nobody', 'b'])).to.deep.equal({ own: 1, others: [3, 0, 2] })
    const layered = { relations: Float32Array.of(1, 3, 2, 6, 0, 0), peers: state.peers }
    expect(relationsTo(layered, ['b', 'c'])).to.deep.equal({ own: 2, others: [4, 0] })
  })

  it('land what the own core moved by, whatever they are', async () => {
    const { state, adapter } = await trainRelated({ ...phase, shared: Float32Array.of(5, 7), state: undefined, round: 1, cores: [] })
    expect([...adapter]).to.deep.equal([6, 8])
    const next = await trainRelated({ ...phase, shared: Float32Array.of(20, 30), state, round: 2, cores: [core('b', 9, 9)] })
    expect([...next.adapter]).to.deep.equal([21, 31])
    expect([...next.state.core]).to.deep.equal([7, 9])
  })

  it('are to no core that is farther off than three times the median, and whose it is is said', async () => {
    const cores = [core('b', 1, 0), core('c', 0, 1.2), core('liar', 0, 30)]
    expect(farCores(cores, Float32Array.of(0, 0), Float32Array.of(1, 1))).to.deep.equal(['liar'])
    expect(farCores(cores.slice(0, 2), Float32Array.of(0, 0), undefined)).to.deep.equal([])
    const { state, unused } = await trainRelated({ ...phase, sizes: { ...sizes, others: 3 }, state: undefined, round: 1, cores })
    expect(unused).to.deep.equal(['liar'])
    expect([...state.relations]).to.deep.equal([1, 2, 3, 0])
  })
})

describe('a learner with relations', function () {
  this.timeout(PATIENCE)

  const learnerOf = async (over: Partial<RelationSettings> = {}): Promise<Learner> =>
    await createLearner({ model: { moe: NO_EXPERTS }, method: { sharing: ['core-adapter'], relations: { ...SETTINGS, ...over } } })
  const shown = (peer: string, { values }: Adapter, by: number): Received =>
    ({ kind: 'core-adapter', peer, values: values.map((each, i) => each + by * Math.sin(i)) })

  it('trains its core bit for bit as a site alone where it takes of itself alone', async () => {
    const plain = await createLearner({ model: { moe: NO_EXPERTS } })
    const start = plain.initialAdapter()
    const expected = await plain.train('G', { adapter: start, samples: discs, round: 1 })
    const learner = await learnerOf({ rate: 1e-30, pull: 0 })
    const other = new Adapter(learner.schema, start.values.map((each, i) => each + 0.01 * Math.cos(i)))
    const tensors = new Map((await learner.exportPrivate()).reveal())
    tensors.set('own.relations.core', { shape: [start.values.length], data: start.values.slice() })
    tensors.set('own.relations.relations', { shape: [4], data: Float32Array.of(1, 0, 0, 0) })
    tensors.set('own.relations.round', { shape: [1], data: Float32Array.of(1) })
    learner.importPrivate(new PrivateSet(tensors))
    const args = { adapter: other, samples: discs, round: 1, received: [shown('b', start, 0.01)] }
    const { adapter } = await learner.train('G', args)
    expect(learner.core).to.deep.equal(expected.adapter.values)
    const moved = other.values.map((each, i) => each + (learner.core![i]! - start.values[i]!))
    expect(adapter.values).to.deep.equal(moved)
    await Promise.all([plain, learner].map(async (each) => { await each.dispose() }))
  })

  it('trains and lands as FedAvg-LoRA does while it takes of nobody', async () => {
    const [plain, learner] = [await createLearner({ model: { moe: NO_EXPERTS } }), await learnerOf({ rate: 1e-30, pull: 0 })]
    const adapter = plain.initialAdapter()
    const expected = await plain.train('G', { adapter, samples: discs, round: 1 })
    const received = [shown('b', adapter, 0.01), shown('c', adapter, -0.01)]
    const { adapter: landed } = await learner.train('G', { adapter, samples: discs, round: 1, received })
    expect(learner.core).to.deep.equal(expected.adapter.values)
    expect(landed.values).to.deep.equal(adapter.values.map((each, i) => each + (learner.core![i]! - each)))
    await Promise.all([plain, learner].map(async (each) => { await each.dispose() }))
  })

  it('learns whom to take from, goes on from what was saved, and serves the mixture beside the shared adapter', async () => {
    for (const by of ['model', 'layer'] as const) {
      const learner = await learnerOf({ by, rate: 0.05, pull: 0 })
      const start = learner.initialAdapter()
      const global = await learner.evaluate({ adapter: start, samples: discs, mode: 'global' })
      const before = await learner.evaluate({ adapter: start, samples: discs, mode: 'personal' })
      expect(before.dice, 'before it has learnt').to.equal(global.dice)
      const received = [shown('b', start, 0.02), shown('c', start, -0.02)]
      const args = { adapter: start, samples: discs, received }
      const landed = (await learner.train('G', { ...args, round: 1 })).adapter
      const adapter = new Adapter(learner.schema, landed.values.map((each, i) => each + 0.01 * Math.cos(i)))
      const again = await learnerOf({ by, rate: 0.05, pull: 0 })
      again.importPrivate(await learner.exportPrivate())
      const digests = []
      for (const each of [learner, again]) digests.push((await each.train('G', { ...args, adapter, round: 2 })).adapter.digest())
      expect(digests[0]).to.equal(digests[1])
      const own = (await learner.exportPrivate()).reveal()
      const relations = own.get('own.relations.relations')!.data
      const learnt = relations.filter((each) => each !== 0).length
      expect(learnt, 'to b and c, and to itself; to nobody in the last place').to.equal(relations.length * 3 / 4)
      const masks = async (mode: 'global' | 'personal'): Promise<string> =>
        (await learner.segment({ adapter, samples: discs, mode })).map((each) => each.join('')).join()
      expect(await masks('personal')).to.not.equal(await masks('global'))
      await Promise.all([learner, again].map(async (each) => { await each.dispose() }))
    }
  })

  it('has the teacher that it asks for', async () => {
    const relations = { ...SETTINGS, peers: 1 }
    const train = { teacherG: 'global', lambdaG: 1, warmupRounds: 0 } as const
    const learner = await createLearner({ model: { moe: NO_EXPERTS }, train, method: { sharing: ['core-adapter'], relations } })
    const { loss } = await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round: 1 })
    expect(loss).to.be.above(0)
    await learner.dispose()
  })
})
