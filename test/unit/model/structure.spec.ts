import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import fc from 'fast-check'
import { seededRandom } from '../../../src/common/random.ts'
import { UNKNOWN, type Scored } from '../../../src/dataset/index.ts'
import { structure } from '../../../src/model/components/structure.ts'
import { spanningTree, treeAffinity } from '../../../src/model/objectives/spanning-tree.ts'
import { gatedCrf, halfShifts, treeEnergy } from '../../../src/model/objectives/structure.ts'
import type { ModelSettings } from '../../../src/settings/model.ts'
import { conflictInTraining, defaultTrainSettings, type TrainSettings } from '../../../src/settings/training.ts'
import { testEngine } from './golden.ts'
import { config, createLearner, discs } from './learners.ts'

const SETTINGS = { tree: 0.1, sigma: 0.02, crf: 0.1, radius: 5, xy: 6, rgb: 0.1 } as const
/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000

/** Distances of all pairs along the tree, by search from each cell. */
function pathProducts (side: number, features: Float32Array, sigma: number): number[][] {
  const tree = spanningTree({ side, channels: 1, features })
  return Array.from({ length: side ** 2 }, (_, root) => {
    const found = new Map([[root, 1]])
    const open = [root]
    for (let cell = open.shift(); cell != null; cell = open.shift()) {
      for (const { to, length } of tree[cell]!) {
        if (found.has(to)) continue
        found.set(to, found.get(cell)! * Math.exp(-length / sigma))
        open.push(to)
      }
    }
    return Array.from({ length: side ** 2 }, (_unused, to) => found.get(to)!)
  })
}

/** By Prim, from cell 0. */
function leastWeight (side: number, features: Float32Array): number {
  const inside = new Set([0])
  let sum = 0
  while (inside.size < side ** 2) {
    let best = { length: Infinity, to: -1 }
    for (const cell of inside) {
      const around = [cell % side > 0 ? cell - 1 : -1, cell % side < side - 1 ? cell + 1 : -1, cell - side, cell + side]
      for (const to of around.filter((each) => each >= 0 && each < side ** 2 && !inside.has(each))) {
        const length = (features[cell]! - features[to]!) ** 2
        if (length < best.length) best = { length, to }
      }
    }
    inside.add(best.to)
    sum += best.length
  }
  return sum
}

const grids = fc.integer({ min: 1, max: 10_000 }).map((seed) => {
  const random = seededRandom(seed)
  return Float32Array.from({ length: 36 }, () => Math.round(random() * 20) / 20)
})

describe('the tree of alike cells', () => {
  it('has the numbers of a path of four', () => {
    // Of a grid of 2 × 2 the longest of four edges is not in the tree: 0, 0.1, 0.1, 0.5 around it.
    const features = Float32Array.of(0, 0.1, 0.5, 0.1)
    const affinity = treeAffinity({ side: 2, channels: 1, features }, 0.02)
    // The path in its order is cells 0, 1, 3, 2.
    const order = [0, 1, 3, 2]
    const p = [1, 0, 0, 1]
    const filtered = order.map((i) => order.reduce((sum, j, k) => sum + affinity[i * 4 + j]! * p[k]!, 0))
    const wanted = [0.451913, 0.232795, 0.232795, 0.999330]
    filtered.forEach((each, i) => { expect(each).to.be.closeTo(wanted[i]!, 1e-5) })
  })

  it('is of least weight, and its affinities are products along its paths, over what they sum to', () => {
    fc.assert(fc.property(grids, (features) => {
      const tree = spanningTree({ side: 6, channels: 1, features })
      expect(tree.reduce((sum, edges) => sum + edges.length, 0)).to.equal(2 * 35)
      const weight = tree.flat().reduce((sum, { length }) => sum + length, 0) / 2
      expect(weight).to.be.closeTo(leastWeight(6, features), 1e-6)
      const affinity = treeAffinity({ side: 6, channels: 1, features }, 0.05)
      pathProducts(6, features, 0.05).forEach((row, i) => {
        const sum = row.reduce((all, each) => all + each, 0)
        row.forEach((each, j) => { expect(affinity[i * 36 + j]).to.be.closeTo(each / sum, 1e-5) })
      })
    }), { numRuns: 30 })
  })
})

describe('what follows from the structure of images', function () {
  this.timeout(PATIENCE)
  before(async () => { await testEngine() })

  it('has no energy where answers are constant, and only where nothing is known', () => {
    const affinity = tf.tensor3d(treeAffinity({ side: 2, channels: 1, features: Float32Array.of(0, 0.1, 0.5, 0.1) }, 0.02), [1, 4, 4])
    const unknown = tf.ones([1, 1, 4])
    expect(treeEnergy(tf.fill([1, 1, 4], 0.3), { affinity, unknown }).dataSync()[0]).to.be.closeTo(0, 1e-6)
    const p = tf.tensor3d([1, 0, 1, 0], [1, 1, 4])
    const energy = treeEnergy(p, { affinity, unknown }).dataSync()[0]
    expect(energy).to.be.closeTo((0.548087 + 0.232795 + 0.232795 + 0.00067) / 4, 1e-5)
    expect(treeEnergy(p, { affinity, unknown: tf.zerosLike(unknown) }).dataSync()[0]).to.equal(0)
    const gradient = tf.grad((x) => treeEnergy(x, { affinity, unknown: tf.tensor3d([0, 1, 0, 0], [1, 1, 4]) }))(p)
    expect(gradient.dataSync().every(Number.isFinite)).to.equal(true)
  })

  it('has the numbers of two pixels, takes each pair once from either side, and is 0 for constant answers', () => {
    const shifts = halfShifts(5)
    expect(shifts).to.have.length(60)
    const right = shifts.findIndex(([down, across]) => down === 0 && across === 1)
    const k = Math.exp(-(1 / 36 + 1) / 2)
    expect(k).to.be.closeTo(0.598165, 1e-6)
    const kernels = tf.buffer([1, 60, 2, 2])
    kernels.set(k, 0, right, 0, 0)
    const p = tf.tensor4d([0.9, 0.2, 0.4, 0.7], [1, 1, 2, 2])
    const loss = (x: tf.Tensor): tf.Scalar => gatedCrf(x, { kernels: kernels.toTensor(), shifts, cells: tf.scalar(2) })
    expect(loss(p).dataSync()[0]).to.be.closeTo(0.442642, 1e-5)
    expect(loss(tf.ones([1, 1, 2, 2])).dataSync()[0]).to.equal(0)
    const slope = tf.grad(loss)(p).dataSync()
    const step = 1e-2
    const there = loss(tf.tensor4d([0.9 + step, 0.2, 0.4, 0.7], [1, 1, 2, 2])).dataSync()[0]!
    const back = loss(tf.tensor4d([0.9 - step, 0.2, 0.4, 0.7], [1, 1, 2, 2])).dataSync()[0]!
    expect(slope[0]).to.be.closeTo((there - back) / (2 * step), 1e-3)
    expect([slope[2], slope[3]]).to.deep.equal([0, 0])
  })

  /** By random places, slopes and small steps of them agree. */
  function expectSlopes (loss: (x: tf.Tensor) => tf.Scalar, p: tf.Tensor, places: readonly number[]): void {
    const slopes = tf.grad(loss)(p).dataSync()
    const at = (place: number, by: number): number =>
      loss(tf.tensor(p.dataSync().map((each, i) => i === place ? each + by : each), [...p.shape])).dataSync()[0]!
    const step = 1e-2
    for (const place of places) {
      expect(slopes[place], `${place}`).to.be.closeTo((at(place, step) - at(place, -step)) / (2 * step), 2e-3)
    }
  }

  it('has the slopes that differences say, of two classes and two images', () => {
    const random = seededRandom(4)
    const some = (shape: number[]): tf.Tensor =>
      tf.tensor(Float32Array.from({ length: shape.reduce((all, each) => all * each, 1) }, () => 0.1 + 0.8 * random()), shape)
    const affinity = tf.stack([1, 2].map((seed) => {
      const colours = seededRandom(seed)
      return tf.tensor2d(treeAffinity({ side: 3, channels: 1, features: Float32Array.from({ length: 9 }, () => colours()) }, 0.5), [9, 9])
    }))
    const unknown = tf.cast(tf.greater(some([2, 2, 9]), 0.4), 'float32')
    const p = some([2, 2, 9])
    expectSlopes((x) => treeEnergy(x, { affinity, unknown }), p, [0, 7, 13, 20, 35])
    const shifts = halfShifts(2)
    const kernels = some([2, shifts.length, 3, 3])
    expectSlopes((x) => gatedCrf(tf.reshape(x, [2, 2, 3, 3]), { kernels, shifts, cells: tf.scalar(18) }), p, [0, 7, 13, 20, 35])
  })

  it('is never below 0, and 0 for hard answers that are all alike, whatever the kernels are', () => {
    const shifts = halfShifts(1)
    const some = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 })
    const parts = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 })
    fc.assert(fc.property(some, parts, (p, k) => {
      const given = { kernels: tf.tensor4d(k, [1, 4, 4, 4]), shifts, cells: tf.scalar(16) }
      expect(gatedCrf(tf.tensor4d(p, [1, 1, 4, 4]), given).dataSync()[0]).to.be.at.least(0)
      // Beyond the edge there is no other cell: real kernels are 0 there.
      const inner = given.kernels.arraySync()
      shifts.forEach(([down, right], s) => inner[0]![s]!.forEach((row, y) => row.forEach((_, x) => {
        if (y + down > 3 || x + right > 3 || x + right < 0) row[x] = 0
      })))
      for (const hard of [0, 1]) {
        expect(Math.abs(gatedCrf(tf.fill([1, 1, 4, 4], hard), { ...given, kernels: tf.tensor4d(inner) }).dataSync()[0]!)).to.be.below(1e-6)
      }
    }), { numRuns: 30 })
  })

  const weak = discs.map((disc, i): Scored => {
    const mask = disc.mask.map((code, j) => j % 97 === i ? code : UNKNOWN)
    return { ...disc, kind: 'scribble', mask, marks: mask }
  })
  const feedsOf = (batch: readonly Scored[], samples: readonly Scored[], settings: Partial<TrainSettings['structure']> = {}) =>
    structure({ ...SETTINGS, ...settings }, 32).feeds!('G', batch, seededRandom(1), { samples, batch, received: [] })

  it('is fed for images without whole masks, and not at all where a site has no others', () => {
    expect(feedsOf(discs, discs)).to.deep.equal({})
    const mixed = feedsOf([discs[0]!, weak[0]!], [...discs, ...weak])
    const { '@affinity': affinity, '@inside': inside, '@kernels': kernels, '@cells': cells } = mixed
    expect([affinity!.shape, inside!.shape, kernels!.shape]).to.deep.equal([[2, 1024, 1024], [2, 1, 1024], [2, 4, 32, 32]])
    const half = affinity!.data.length / 2
    expect(Math.max(...affinity!.data.slice(0, 1024))).to.equal(0)
    for (const row of [0, 500]) {
      const sum = (affinity!.data as Float32Array).slice(half + row * 1024, half + (row + 1) * 1024).reduce((all, each) => all + each, 0)
      expect(sum).to.be.closeTo(1, 1e-4)
    }
    // The image is 96 × 128 of the canvas of 128: 24 of 32 rows of cells show it.
    expect(cells!.data[0]).to.equal(24 * 32)
    expect(Object.keys(feedsOf(weak, weak, { crf: 0 })).sort()).to.deep.equal(['@affinity', '@inside', '@tree'])
    expect(structure(SETTINGS, 32).feeds!('L', weak, seededRandom(1), { samples: weak, batch: weak, received: [] })).to.deep.equal({})
  })

  it('compares the same part of an image whatever the mask has of cells, and neighbours at least', () => {
    const pairsAt = (side: number): number | undefined => {
      const { feeds } = structure({ ...SETTINGS, tree: 0 }, side)
      return feeds!('G', weak, seededRandom(1), { samples: weak, batch: weak, received: [] })['@kernels']!.shape[1]
    }
    expect([32, 64, 128, 256].map(pairsAt)).to.deep.equal([4, 4, 24, 60])
    // Of one colour everywhere, one cell further down is a 64th of the image away.
    const grey = [{ ...weak[0]!, image: new Uint8Array(weak[0]!.image.length).fill(90) }]
    const { '@kernels': kernels } = structure({ ...SETTINGS, tree: 0 }, 64)
      .feeds!('G', grey, seededRandom(1), { samples: grey, batch: grey, received: [] })
    const below = halfShifts(1).findIndex(([down, right]) => down === 1 && right === 0)
    expect(kernels!.data[below * 64 ** 2]).to.be.closeTo(Math.exp(-((4 / 6) ** 2) / 2), 1e-6)
  })

  it('has the kernels of the formula, between all near cells of the image, and none beyond it', () => {
    const { '@kernels': kernels, '@affinity': affinity } = feedsOf([weak[1]!], weak, { radius: 16, xy: 48 })
    const { image, channels, fittedWidth } = weak[1]!
    const colour = (cell: number, c: number): number => {
      const pixels = Array.from({ length: 16 }, (_, i) =>
        (Math.floor(cell / 32) * 4 + Math.floor(i / 4)) * fittedWidth + cell % 32 * 4 + i % 4)
      return pixels.reduce((sum, pixel) => sum + image[pixel * channels + Math.min(c, channels - 1)]! / 255, 0) / 16
    }
    const shifts = halfShifts(2)
    for (const [y, x] of [[0, 0], [5, 31], [12, 14], [22, 3], [23, 9]] as const) {
      for (const [k, [down, right]] of shifts.entries()) {
        const found = kernels!.data[(k * 32 + y) * 32 + x]!
        const isThere = y + down < 24 && x + right >= 0 && x + right < 32
        const unlike = isThere ? [0, 1, 2].map((c) => (colour(y * 32 + x, c) - colour((y + down) * 32 + x + right, c)) ** 2) : []
        const sum = unlike.reduce((all, each) => all + each, 0)
        const wanted = isThere ? Math.exp(-((down ** 2 + right ** 2) / 36 + sum / 0.01) / 2) : 0
        expect(found, `${y} ${x} ${down} ${right}`).to.be.closeTo(wanted, 1e-5)
      }
    }
    const features = Float32Array.from({ length: 3 * 24 * 32 }, (_, i) => colour(Math.floor(i / 3), i % 3))
    expect(features.some((each) => each > 0)).to.equal(true)
    const all = Float32Array.from({ length: 3 * 1024 }, (_, i) => i < features.length ? features[i]! : 0)
    const own = treeAffinity({ side: 32, channels: 3, features: all }, 0.02)
    for (const place of [0, 33, 5_000, 400_000]) expect(affinity!.data[place]).to.be.closeTo(own[place]!, 1e-4)
  })

  it('changes training on such images, the same way each time, and no other training', async () => {
    const model: Partial<ModelSettings> = { moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } }
    const digest = async (samples: readonly Scored[], train: Partial<TrainSettings>): Promise<string> => {
      const learner = await createLearner({ model, train })
      const { adapter } = await learner.train('G', { adapter: learner.initialAdapter(), samples, round: 1 })
      await learner.dispose()
      return adapter.digest()
    }
    expect(await digest(discs, { structure: SETTINGS })).to.equal(await digest(discs, {}))
    expect(await digest(weak, { structure: { ...SETTINGS, tree: 0, crf: 0 } })).to.equal(await digest(weak, {}))
    const found = await Promise.all([{}, { structure: SETTINGS }, { structure: { ...SETTINGS, tree: 0 } }, { structure: SETTINGS }]
      .map(async (train) => await digest(weak, train)))
    expect(found[1]).to.equal(found[3])
    expect(new Set(found).size).to.equal(3)
  })

  it('goes with weak labels alone, and one image at a time', () => {
    const training = { ...defaultTrainSettings(config), structure: SETTINGS }
    const supervision = ['mask', 'scribble'] as ['mask', 'scribble']
    expect(conflictInTraining(training)).to.match(/^training\.structure: it is for images without whole masks/)
    expect(conflictInTraining({ ...training, supervision })).to.equal(undefined)
    expect(conflictInTraining({ ...training, supervision, augment: true, mixup: { alpha: 1 } })).to.match(/^training\.structure: .*mixup/)
  })
})
