import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { hashTensor } from '../../../bench/sam/hash-tensor.ts'
import type { HostTensor } from '../../../src/compute/index.ts'
import { balanceLoss, route, topKMask, type Routing } from '../../../src/model/blocks/experts.ts'
import { distillationLoss } from '../../../src/model/objectives/distillation.ts'
import { initialExperts, expertTensors } from '../../../src/model/parameters/expert-set.ts'
import { createLayout, perElement, unpack } from '../../../src/model/parameters/layout.ts'
import { initialAdapterTensors } from '../../../src/model/parameters/shared-set.ts'
import { adapterTensors } from '../../../src/model/parameters/shared-set.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { samForward } from '../../../src/model/sam/sam.ts'
import { batchesFrom, batchesOfEpochs, epochBatches, epochRandom, paddedChunks, type Batch } from '../../../src/model/train/batches.ts'
import { adamw, clipByNorm, decays, decline, stepScalars, warmup } from '../../../src/model/train/optimiser.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { compute, difference, golden, nhwc, tinyWeights } from './golden.ts'
import { config, discs } from './learners.ts'

function host (shape: number[], data: ArrayLike<number>): HostTensor & { data: Float32Array } {
  return { shape, data: Float32Array.from(data) }
}

const z = host([2, 1, 4, 4], hashTensor('z', 32, 6))
const other = host([2, 1, 4, 4], hashTensor('other', 32, 6))

describe('step 0', () => {
  it('gives the base bit for bit, with Γ and with Γ and Λ', async () => {
    const settings = defaultModelSettings(samConfig('golden-128'))
    const specs = adapterTensors(config, settings)
    const gamma = Object.fromEntries(
      [...initialAdapterTensors(specs, tinyWeights, 5)].map(([name, data], i) => [name, { shape: specs[i]!.shape, data }])
    )
    const experts = expertTensors(config, settings.moe)
    const values = initialExperts(experts, 5)
    const lambda = Object.fromEntries(experts.map(({ name, shape }) => [name, { shape, data: values[name]!.data }]))
    const run = async (more: object): Promise<HostTensor> => {
      const { masks } = await compute(
        { ...tinyWeights, ...more, image: nhwc(golden('in.image')) },
        (t) => ({ masks: samForward(t, config, t['image'] as tf.Tensor4D).masks })
      )
      return masks!
    }
    const base = await run({})
    expect(difference(await run(gamma), base)).to.equal(0)
    expect(difference(await run({ ...gamma, ...lambda }), base)).to.equal(0)
  })
})

describe('distillation', () => {
  it('is zero with zero gradient between equals, positive otherwise, and its gradient is that of the definition', async () => {
    const outputs = await compute({ z, other }, (t) => {
      const same = tf.valueAndGrad((x) => distillationLoss(t['z']!, x, 2))(t['z']!)
      const apart = tf.valueAndGrad((x) => distillationLoss(t['z']!, x, 2))(t['other']!)
      return { same: same.value, sameGradient: same.grad, apart: apart.value, gradient: apart.grad }
    })
    expect(outputs['same']!.data[0]).to.equal(0)
    expect(Math.max(...outputs['sameGradient']!.data.map(Math.abs))).to.equal(0)
    expect(outputs['apart']!.data[0]).to.be.greaterThan(0.01)
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
    outputs['gradient']!.data.forEach((value, i) => {
      expect(value).to.be.closeTo(2 * (sigmoid(other.data[i]! / 2) - sigmoid(z.data[i]! / 2)) / 32, 1e-7)
    })
  })
})

describe('gates', () => {
  it('choose exactly k, the lower index on ties', async () => {
    const { mask } = await compute(
      { p: host([3, 4], [0.25, 0.25, 0.25, 0.25, 0.1, 0.4, 0.1, 0.4, 0.3, 0.1, 0.3, 0.3]) },
      (t) => ({ mask: topKMask(t['p'] as tf.Tensor2D, 2) })
    )
    expect([...mask!.data]).to.deep.equal([1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0])
  })

  it('are non-negative, sum to 1 and keep k of the experts', async () => {
    const { gates } = await compute(
      { x: host([50, 6], hashTensor('x', 300, 3)), 'm.gate.weight': host([4, 6], hashTensor('w', 24, 1)) },
      (t) => ({ gates: route(t['x'] as tf.Tensor2D, t, 'm', 2).gates })
    )
    for (let token = 0; token < 50; token++) {
      const row = [...gates!.data.slice(token * 4, token * 4 + 4)]
      expect(row.filter((gate) => gate > 0)).to.have.length(2)
      expect(row.every((gate) => gate >= 0)).to.equal(true)
      expect(row.reduce((sum, gate) => sum + gate)).to.be.closeTo(1, 1e-6)
    }
  })

  it('balance to 1 when uniform, to more when one expert takes all, with a gradient through the probabilities', async () => {
    const uniform = {
      probabilities: host([4, 4], Array(16).fill(0.25)),
      gates: host([4, 4], [0.5, 0.5, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0, 0, 0.5, 0, 0.5])
    }
    const skewed = {
      probabilities: host([4, 4], Array(4).fill([0.85, 0.05, 0.05, 0.05]).flat()),
      gates: host([4, 4], Array(4).fill([1, 0, 0, 0]).flat())
    }
    const outputs = await compute({ a: uniform.probabilities, b: uniform.gates, c: skewed.probabilities, d: skewed.gates }, (t) => {
      const loss = (probabilities: tf.Tensor, gates: tf.Tensor): tf.Scalar => balanceLoss({ probabilities, gates } as Routing)
      return { uniform: loss(t['a']!, t['b']!), skewed: loss(t['c']!, t['d']!), gradient: tf.grad((p) => loss(p, t['d']!))(t['c']!) }
    })
    expect(outputs['uniform']!.data[0]).to.be.closeTo(1, 1e-6)
    expect(outputs['skewed']!.data[0]).to.be.closeTo(3.4, 1e-6)
    outputs['gradient']!.data.forEach((value, i) => { expect(value).to.be.closeTo(i % 4 === 0 ? 1 : 0, 1e-6) })
  })
})

describe('optimiser', () => {
  it('is AdamW', async () => {
    const [value, gradient, first, second] = [[1, -2, 3], [0.1, 0, -5], [0.01, 0.2, 0], [0.5, 0.1, 0.2]] as const
    const [rate, decay, step, factor] = [[0.1, 0.1, 0.01], [0, 0.5, 0.01], 3, 0.5] as const
    const vectors = { value, gradient, first, second, rate, decay, scalars: stepScalars(step, factor) }
    const outputs = await compute(
      Object.fromEntries(Object.entries(vectors).map(([name, data]) => [name, host([3], data)])),
      (t) => adamw(t as never)
    )
    value.forEach((x, i) => {
      const m = 0.9 * first[i]! + 0.1 * gradient[i]!
      const v = 0.999 * second[i]! + 0.001 * gradient[i]! ** 2
      const direction = m / (1 - 0.9 ** step) / (Math.sqrt(v / (1 - 0.999 ** step)) + 1e-8)
      expect(outputs['first']!.data[i]).to.be.closeTo(m, 1e-6)
      expect(outputs['second']!.data[i]).to.be.closeTo(v, 1e-6)
      expect(outputs['value']!.data[i]).to.be.closeTo(x - factor * rate[i]! * (direction + decay[i]! * x), 1e-6)
    })
  })

  it('clips long gradients only', async () => {
    const { long, short } = await compute(
      { long: host([2], [3, 4]), short: host([2], [0.3, 0.4]) },
      (t) => ({ long: clipByNorm(t['long']!, 1), short: clipByNorm(t['short']!, 1) })
    )
    expect(long!.data[0]).to.be.closeTo(0.6, 1e-6)
    expect(short!.data[1]).to.be.closeTo(0.4, 1e-6)
  })

  it('decays matrices, not biases, norms, tokens or tables; warms up once and may fall from round to round', () => {
    const decayed = (name: string, ...shape: number[]): boolean => decays({ name, shape })
    expect(decayed('mask_decoder.transformer.layers.0.cross_attn_token_to_image.q_proj.weight', 4, 4)).to.equal(true)
    expect(decayed('image_encoder.patch_embed.proj.weight', 4, 3, 8, 8)).to.equal(true)
    for (
      const name of [
        'mask_decoder.iou_token.weight',
        'mask_decoder.mask_tokens.weight',
        'image_encoder.pos_embed',
        'prompt_encoder.no_mask_embed.weight',
        'prompt_encoder.point_embeddings.1.weight',
        'image_encoder.blocks.0.attn.rel_pos_h',
        'image_encoder.blocks.1.lmoe.up.bias'
      ]
    ) {
      expect(decayed(name, 4, 4), name).to.equal(false)
    }
    expect(decayed('image_encoder.blocks.0.norm1.weight', 4)).to.equal(false)
    expect([1, 10, 20, 21].map((step) => warmup(step, 20))).to.deep.equal([0.05, 0.5, 1, 1])
    expect(warmup(1, 0)).to.equal(1)
    const factors = [1, 2, 9, 10, 11, 12].map((round) => decline(round, 10))
    expect(factors.slice(0, 2)).to.deep.equal([1, (10 / 11) ** 0.9])
    expect(factors[4]).to.be.closeTo(11 ** -0.9, 1e-12)
    expect(factors[5]).to.equal(factors[4])
    expect(factors).to.deep.equal(factors.toSorted((a, b) => b - a))
    expect(decline(1_000, Infinity)).to.equal(1)
  })

  it('unpacks a flat vector by name', async () => {
    const layout = createLayout([{ name: 'a', shape: [2, 2] }, { name: 'b', shape: [3] }])
    const { a, b } = await compute({ flat: host([7], [1, 2, 3, 4, 5, 6, 7]) }, (t) => unpack(layout, t['flat']!))
    expect([a!.shape, [...a!.data], [...b!.data]]).to.deep.equal([[2, 2], [1, 2, 3, 4], [5, 6, 7]])
    expect([...perElement(layout, ({ name }) => name === 'b' ? 1 : 0)]).to.deep.equal([0, 0, 0, 0, 1, 1, 1])
  })
})

describe('batches', () => {
  it('are all full, hold every sample, and repeat for the same round, phase and epoch only', () => {
    const ids = (round: number, phase: 'G' | 'L', epoch: number): string =>
      [...epochBatches(discs, 3, epochRandom(1, round, phase, epoch))].map((batch) => batch.map(({ id }) => id).join()).join(';')
    const batches = [...epochBatches(discs, 3, epochRandom(1, 1, 'G', 0))]
    expect(batches.map((batch) => batch.length)).to.deep.equal([3, 3])
    expect(new Set(batches.flat().map(({ id }) => id)).size).to.equal(4)
    expect(ids(1, 'G', 0)).to.equal(ids(1, 'G', 0))
    expect(
      new Set([1, 2, 3, 4].flatMap((round) => (['G', 'L'] as const).flatMap((phase) => [0, 1].map((epoch) => ids(round, phase, epoch)))))
        .size
    ).to.be.greaterThan(6)
  })

  const source = { samples: discs, batchSize: 2, siteSeed: 1, phase: 'G' as const, augment: true }
  const taken = (batches: Iterable<Batch>, count: number): number[][] => {
    const pixels: number[][] = []
    for (const { samples, random } of batches) {
      // What else a step draws, too.
      pixels.push([...samples.flatMap(({ image }) => [...image.subarray(0, 999)]), random()])
      if (pixels.length === count) break
    }
    return pixels
  }

  it('go through all images before any comes again, across rounds of any length', () => {
    const ids = [0, 3, 6].flatMap((from) => [...takeSome(batchesFrom({ ...source, augment: false }, { from, steps: 3 }), 3)])
    for (let epoch = 0; epoch < 4; epoch++) expect(new Set(ids.slice(4 * epoch, 4 * epoch + 4)).size).to.equal(4)
  })

  function * takeSome (batches: Iterable<Batch>, count: number): Generator<string> {
    let done = 0
    for (const { samples } of batches) {
      yield * samples.map(({ id }) => id)
      if (++done === count) return
    }
  }

  it('are those of epochs where the steps of a round are whole ones, number for number', () => {
    for (const [round, epochs] of [[1, 1], [3, 1], [2, 2]] as const) {
      const steps = 2 * epochs
      const byEpochs = taken(batchesOfEpochs(source, { round, epochs }), Infinity)
      expect(taken(batchesFrom(source, { from: (round - 1) * steps, steps }), steps)).to.deep.equal(byEpochs)
    }
  })

  it('are the same from the same step on, also in the middle of an epoch', () => {
    for (const from of [1, 2, 5]) {
      const [once, again] = [0, 1].map(() => taken(batchesFrom(source, { from, steps: 3 }), 4))
      expect(once).to.deep.equal(again)
    }
  })

  it('pad the last chunk with its last sample', () => {
    expect([...paddedChunks([1, 2, 3, 4, 5], 4)]).to.deep.equal([{ chunk: [1, 2, 3, 4], count: 4 }, { chunk: [5, 5, 5, 5], count: 1 }])
    expect([...paddedChunks([], 4)]).to.deep.equal([])
  })
})
