import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import fc from 'fast-check'
import { PrivateSet } from '../../../src/adapter/private-set.ts'
import { seededRandom } from '../../../src/common/random.ts'
import type { HostRecord, TensorRecord } from '../../../src/compute/index.ts'
import { selected, selection } from '../../../src/model/blocks/site-selection.ts'
import { inTurn, MOST_OTHERS, siteContrast, siteContrastLoss } from '../../../src/model/components/site-contrast.ts'
import { firstVector, selectionGroups } from '../../../src/model/parameters/site-selection.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { factSpecs, SITE_VECTOR } from '../../../src/settings/facts.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import { testEngine } from './golden.ts'
import { createLearner, discs } from './learners.ts'

const CONTRAST = { size: 4, weight: 1 }
const NO_EXPERTS: ModelSettings['moe'] = { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' }
/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000
const [WIDTH, GRID, IMAGES] = [64, 3, 2]

/** Random numbers for all that selects channels, and for embeddings. */
function parts (seed: number, gain: number): { readonly weights: TensorRecord, readonly embedding: tf.Tensor4D } {
  const random = seededRandom(seed)
  const some = (shape: readonly number[]): tf.Tensor =>
    tf.tensor(Float32Array.from({ length: shape.reduce((all, each) => all * each, 1) }, () => 2 * random() - 1), [...shape])
  const parameters = selectionGroups(WIDTH, CONTRAST).flatMap((group) => group.parameters)
  const weights = Object.fromEntries(parameters.map(({ name, shape }) => [name, some(shape)]))
  const embedding = some([IMAGES, GRID, GRID, WIDTH]) as tf.Tensor4D
  return { weights: { ...weights, 'site_selection.gain': tf.tensor1d([gain]) }, embedding }
}

/** Of the loss that a site has whose vector and layers these are, beside others of three sites, which are constants. */
function lossOf (weights: TensorRecord, embedding: tf.Tensor): tf.Scalar {
  const others = parts(99, 0)
  const vectors = tf.tensor2d(firstVector(12, seededRandom(5)), [3, 4])
  const own = selection(embedding, tf.reshape(weights['site_selection.vector']!, [1, 4]), weights)
  const theirs = selection(others.embedding, vectors, others.weights)
  return siteContrastLoss(own, theirs, tf.tensor1d([0.5, 0.5, 0]))
}

describe('channels that a site selects', function () {
  this.timeout(PATIENCE)
  before(async () => { await testEngine() })

  it('are between 0 and 1, one for each image, site and channel; other sites select others', () => {
    const { weights, embedding } = parts(1, 1)
    const h = selection(embedding, tf.tensor2d([1, 2, 3, 4, -1, -2, -3, -4], [2, 4]), weights)
    expect(h.shape).to.deep.equal([IMAGES, 2, WIDTH])
    const values = [...h.dataSync()]
    for (const each of values) expect(each).to.be.within(0, 1)
    expect(values.slice(0, WIDTH)).to.not.deep.equal(values.slice(WIDTH, 2 * WIDTH))
  })

  it('are what the formula says: both pools through the same layers', () => {
    const { weights, embedding } = parts(2, 1)
    const matrix = (name: string): number[][] => (weights[`site_selection.${name}.weight`] as tf.Tensor2D).arraySync()
    const times = (rows: number[][], x: number[]): number[] => rows.map((row) => row.reduce((sum, each, i) => sum + each * x[i]!, 0))
    const relu = (x: number[]): number[] => x.map((each) => Math.max(0, each))
    const vector = [0.3, -1, 0.5, 2]
    const e = times(matrix('fc1.layers.1'), relu(times(matrix('fc1.layers.0'), vector)))
    const cells = tf.reshape<tf.Rank.R3>(embedding, [IMAGES, GRID ** 2, WIDTH]).arraySync()[1]!
    const channel = (c: number): number[] => cells.map((cell) => cell[c]!)
    const pools = [
      Array.from({ length: WIDTH }, (_, c) => channel(c).reduce((sum, each) => sum + each, 0) / GRID ** 2),
      Array.from({ length: WIDTH }, (_, c) => Math.max(...channel(c)))
    ]
    const [one, other] = pools.map((pool) => times(matrix('fc2.layers.1'), relu(times(matrix('fc2.layers.0'), [...pool, ...e]))))
    const wanted = one!.map((each, c) => 1 / (1 + Math.exp(-(each + other![c]!))))
    const found = (selection(embedding, tf.tensor2d(vector, [1, 4]), weights) as tf.Tensor3D).arraySync()[1]![0]!
    found.forEach((each, c) => { expect(each).to.be.closeTo(wanted[c]!, 1e-5) })
    const image = (selected(embedding, { ...weights, 'site_selection.vector': tf.tensor1d(vector) })).arraySync()[1]!.flat()
    image.forEach((cell, at) => cell.forEach((each, c) => {
      expect(each).to.be.closeTo(cells[at]![c]! * (1 + 2 * wanted[c]! - 1), 1e-5)
    }))
  })

  it('are no others with a gain of 0, bit for bit, or without layers', () => {
    const { weights, embedding } = parts(3, 0)
    expect(selected(embedding, weights).dataSync()).to.deep.equal(embedding.dataSync())
    expect(selected(embedding, {})).to.equal(embedding)
  })

  it('have a contrast between -1 and 0, 0 for the same, whatever they are', () => {
    const some = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
    fc.assert(fc.property(some, some, fc.integer({ min: 1, max: 2 }), (own, others, sites) => {
      const shares = tf.tensor1d([1, 1].map((_, i) => i < sites ? 1 / sites : 0))
      const a = tf.tensor3d(own.slice(0, 3), [1, 1, 3])
      const loss = siteContrastLoss(a, tf.tensor3d(others, [1, 2, 3]), shares).dataSync()[0]!
      expect(loss).to.be.within(-1, 0)
      const squares = own.slice(0, 3).map((each, c) =>
        [0, 1].reduce((sum, site) => sum + (site < sites ? (each - others[3 * site + c]!) ** 2 / sites : 0), 0))
      expect(loss).to.be.closeTo(-squares.reduce((sum, each) => sum + each, 0) / 3, 1e-5)
      expect(siteContrastLoss(a, tf.tile(a, [1, 2, 1]), shares).dataSync()[0]).to.be.closeTo(0, 1e-9)
    }), { numRuns: 50 })
  })

  it('have the gradients that differences say, by vector, layers and embedding', () => {
    const { weights, embedding } = parts(4, 1)
    const names = ['vector', 'fc1.layers.0.weight', 'fc1.layers.1.weight', 'fc2.layers.0.weight', 'fc2.layers.1.weight']
      .map((name) => `site_selection.${name}`)
    const all: Record<string, tf.Tensor> = { ...Object.fromEntries(names.map((name) => [name, weights[name]!])), embedding }
    for (const [name, x] of Object.entries(all)) {
      const loss = (value: tf.Tensor): tf.Scalar =>
        name === 'embedding' ? lossOf(weights, value) : lossOf({ ...weights, [name]: value }, embedding)
      const slope = tf.grad(loss)(x).dataSync() as Float32Array
      const values = x.dataSync() as Float32Array
      const place = slope.reduce((best, each, i) => Math.abs(each) > Math.abs(slope[best]!) ? i : best, 0)
      const step = 2e-3
      const [there, back] = [step, -step].map((by) =>
        loss(tf.tensor(values.map((each, i) => i === place ? each + by : each), [...x.shape])).dataSync()[0]!)
      expect(Math.abs(slope[place]!), name).to.be.above(1e-5)
      expect(slope[place], name).to.be.closeTo((there! - back!) / (2 * step), 0.03 * Math.abs(slope[place]!) + 1e-5)
    }
  })

  it('are contrasted with those of sixteen others at most, each in its turn, and with nobody as long as none is known', () => {
    expect(inTurn([1, 2, 3], 2)).to.deep.equal([1, 2, 3])
    const many = Array.from({ length: 40 }, (_, i) => i)
    const turns = [1, 2, 3, 4, 5].flatMap((round) => inTurn(many, round))
    expect(turns).to.have.length(80)
    for (const each of many) expect(turns.filter((turn) => turn === each)).to.have.length(2)
    const { inputs } = siteContrast(CONTRAST, WIDTH)
    const start = { round: 1, gamma: new Float32Array(1), experts: new Float32Array(0), received: [], joined: () => new Float32Array(1) }
    expect(inputs!('G', start)).to.deep.equal({})
    expect(inputs!('L', { ...start, siteVectors: [Float32Array.of(1, 2, 3, 4)] })).to.deep.equal({})
    const fed: HostRecord = inputs!('G', { ...start, siteVectors: [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)] })
    expect(fed['@siteVectors']!.shape).to.deep.equal([MOST_OTHERS, 4])
    expect([...fed['@siteShares']!.data.slice(0, 3)]).to.deep.equal([0.5, 0.5, 0])
  })
})

describe('a learner whose site selects channels', function () {
  this.timeout(PATIENCE)
  const others = [Float32Array.of(1, -1, 0.5, 0), Float32Array.of(-2, 1, 0, 1)]
  const learnerOf = async (method: MethodSettings = { siteContrast: CONTRAST }): Promise<Learner> =>
    await createLearner({ model: { moe: NO_EXPERTS }, method })

  it('trains as without it with weight 0, and begins with the answers of the base', async () => {
    const digests: string[] = []
    for (const contrast of [undefined, { size: 4, weight: 0 }]) {
      const learner = await learnerOf({ siteContrast: contrast })
      const args = { samples: discs, round: 1, siteVectors: others }
      const { adapter, facts } = await learner.train('G', { adapter: learner.initialAdapter(), ...args })
      digests.push(adapter.digest())
      expect(facts).to.equal(undefined)
      await learner.dispose()
    }
    expect(digests[0]).to.equal(digests[1])
    const learner = await learnerOf()
    // With a vector that is not 0.
    const own = new Map((await learner.exportPrivate()).reveal())
    own.set('own.site_selection.vector', { shape: [4], data: Float32Array.of(1, 2, 3, -4) })
    learner.importPrivate(new PrivateSet(own))
    const adapter = learner.initialAdapter()
    const masks = await Promise.all((['frozen', 'global', 'personal'] as const).map(async (mode) =>
      (await learner.segment({ adapter, samples: discs, mode })).map((each) => each.join(''))))
    expect(masks[1]).to.deep.equal(masks[0])
    expect(masks[2]).to.deep.equal(masks[0])
    await learner.dispose()
  })

  it('draws a first vector of its own, trains it with all that sites average, and says it within its range', async () => {
    const learner = await learnerOf()
    const start = learner.initialAdapter()
    const args = { adapter: start, samples: discs, siteVectors: others }
    const first = await learner.train('G', { ...args, round: 1 })
    const said = first.facts![SITE_VECTOR]!
    const drawn = firstVector(4, seededRandom(7, 0x517e))
    expect([...said]).to.not.deep.equal([...drawn])
    const [spec] = factSpecs({ method: { siteContrast: CONTRAST }, training: {}, averaging: { maxMass: 1 } })
    expect(spec).to.deep.equal({ name: SITE_VECTOR, length: 4, least: -4, most: 4 })
    for (const each of said) expect(each).to.be.within(-4, 4)
    const layers = [...first.adapter.tensors()].filter(([name]) => name.startsWith('site_selection.'))
    expect(layers.map(([name]) => name.replace('site_selection.', ''))).to.deep.equal(
      ['fc1.layers.0.weight', 'fc1.layers.1.weight', 'fc2.layers.0.weight', 'fc2.layers.1.weight', 'gain'])
    const before = new Map(start.tensors())
    for (const [name, { data }] of layers) expect(data, name).to.not.deep.equal(before.get(name)!.data)
    expect((await learner.exportPrivate()).reveal().get('own.site_selection.vector')!.data).to.deep.equal(said)
    const again = await learnerOf()
    again.importPrivate(await learner.exportPrivate())
    const next = []
    for (const each of [learner, again]) next.push(await each.train('G', { ...args, adapter: first.adapter, round: 2 }))
    expect(next[0]!.adapter.digest(), 'it goes on from what was saved').to.equal(next[1]!.adapter.digest())
    await Promise.all([learner, again].map(async (each) => { await each.dispose() }))
  })

  it('learns otherwise beside others than where it knows of none, with a loss that is lower by the contrast', async () => {
    const found = []
    for (const siteVectors of [undefined, others]) {
      const learner = await learnerOf()
      found.push(await learner.train('G', { adapter: learner.initialAdapter(), samples: discs, round: 1, siteVectors }))
      await learner.dispose()
    }
    expect(found[0]!.adapter.digest()).to.not.equal(found[1]!.adapter.digest())
    expect(found[1]!.loss).to.be.below(found[0]!.loss)
    expect(found[1]!.loss).to.be.above(found[0]!.loss - 1)
  })
})
