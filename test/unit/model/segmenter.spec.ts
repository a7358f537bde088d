import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { Adapter } from '../../../src/adapter/adapter.ts'
import { toImages } from '../../../src/dataset/index.ts'
import { EmbeddingCache } from '../../../src/model/predict/embedding-cache.ts'
import { maskLogits, singlePrompts } from '../../../src/model/predict/prompts.ts'
import type { MaskMap, Segmenter } from '../../../src/model/predict/segmenter.ts'
import { restoreMask } from '../../../src/model/sam/postprocess.ts'
import { samForward } from '../../../src/model/sam/sam.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { fitted } from '../dataset/fixtures.ts'
import { compute, expectClose } from './golden.ts'
import { config, createLearner, disc, discs, weights } from './learners.ts'

const image = disc(0)
const LOW = 32

describe('segmenter', function () {
  this.timeout(60_000)
  let learner: Learner
  let adapter: Adapter
  let segmenter: Segmenter

  before(async () => {
    learner = await createLearner({ train: { lrMoe: 0.1 } })
    adapter = learner.initialAdapter()
  })
  beforeEach(() => { segmenter = open() })
  afterEach(async () => { await segmenter.dispose() })
  after(async () => { await learner.dispose() })

  function open (mode: 'frozen' | 'global' | 'personal' = 'global', cache = new EmbeddingCache({ memoryBytes: 1e9 })): Segmenter {
    return learner.segmenter({ adapter, mode, cache })
  }

  it('gives the reference model map 0, or maps 1 to 3, with their IoU, for points, box and mask together', async () => {
    const mask = maskLogits(image, LOW)
    const images = toImages([image])
    const { masks, iou } = await compute({
      ...weights,
      images: { shape: [1, 128, 128, 3], data: images },
      mask: { shape: [1, LOW, LOW], data: mask }
    }, (t) => {
      const output = samForward(t, config, t['images'] as tf.Tensor4D, {
        points: { coordinates: tf.tensor3d([[[40, 40], [5, 5]]]), labels: tf.tensor2d([[1, 0]], [1, 2], 'float32') },
        boxes: tf.tensor2d([[20, 20, 60, 60]]),
        mask: t['mask'] as tf.Tensor3D
      })
      return { masks: output.masks, iou: output.iou }
    })
    const expected = (map: number): Float32Array => masks!.data.slice(map * LOW * LOW, (map + 1) * LOW * LOW) as Float32Array
    const prompt = { points: [[40, 40, 1], [5, 5, 0]], boxes: [[0, 0, 127, 95]], mask } as const
    const exact = { ...prompt, boxes: [[20, 20, 60, 60]], points: [[40, 40, 1], [5, 5, 0]] } as const
    // The background point lies outside the box: with one box it still goes with it.
    const answers = [...await segmenter.segment(image, exact), ...await segmenter.segment(image, exact, { multimask: true })]
    expect(answers.map(({ map }) => map)).to.deep.equal([0, 1, 2, 3])
    for (const { map, logits, iou: estimate, mask: pixels } of answers) {
      expectClose({ shape: [LOW, LOW], data: logits }, { shape: [LOW, LOW], data: expected(map) }, 3e-5)
      expect(estimate).to.be.closeTo(iou!.data[map]!, 3e-5)
      expect(pixels).to.deep.equal(restoreMask(logits, LOW, image))
    }
    expect((await segmenter.segment(image, prompt))[0]!.logits).to.not.deep.equal(answers[0]!.logits)
  })

  it('runs the encoder once per image, whatever is asked of it', async () => {
    await segmenter.segment(image)
    await segmenter.segment(image, { points: [[40, 40, 1]] })
    await segmenter.segment(image, { boxes: [[20, 20, 60, 60]] }, { multimask: true })
    await segmenter.segment({ ...image, id: 'the same pixels under another name' })
    expect(segmenter.counts).to.deep.equal({ encoded: 1, reused: 3 })
    await segmenter.segment(discs[1]!)
    expect(segmenter.counts).to.deep.equal({ encoded: 2, reused: 3 })
  })

  it('draws what the learner draws', async () => {
    for (const mode of ['frozen', 'global', 'personal'] as const) {
      const each = open(mode)
      const [[one]] = [await each.segment(image)]
      expect([one!.mask]).to.deep.equal(await learner.predict({ adapter, samples: [image], mode }))
      await each.dispose()
    }
  })

  it('never mistakes the embedding of one model, mode or expert for that of another', async () => {
    const cache = new EmbeddingCache({ memoryBytes: 1e9 })
    const trained = await learner.train('G', { adapter, samples: discs, round: 1 })
    const encoded = async (made: Segmenter): Promise<number> => {
      await made.segment(image)
      await made.dispose()
      return made.counts.encoded
    }
    expect(await encoded(open('frozen', cache))).to.equal(1)
    expect(await encoded(open('global', cache))).to.equal(1)
    expect(await encoded(open('personal', cache))).to.equal(1)
    expect(await encoded(learner.segmenter({ adapter: trained.adapter, mode: 'global', cache }))).to.equal(1)
    await learner.train('L', { adapter, samples: discs, round: 1 })
    expect(await encoded(open('personal', cache))).to.equal(1)
    expect(await encoded(open('personal', cache)), 'the same once more').to.equal(0)
    expect(await encoded(learner.segmenter({ adapter: trained.adapter, mode: 'frozen', cache })), 'the base knows no adapter').to.equal(0)
  })

  it('several boxes: what any of them marks, the mean of their IoU', async () => {
    const boxes = [[20, 20, 60, 60], [70, 10, 120, 90]] as const
    const [one, other, both] = await Promise.all(
      [[boxes[0]], [boxes[1]], boxes].map(async (each) => (await segmenter.segment(image, { boxes: each }))[0]!)
    ) as [MaskMap, MaskMap, MaskMap]
    expect(both.mask).to.deep.equal(one.mask.map((value, i) => Math.max(value, other.mask[i]!)))
    expect(both.logits).to.deep.equal(one.logits.map((value, i) => Math.max(value, other.logits[i]!)))
    expect(both.iou).to.be.closeTo((one.iou + other.iou) / 2, 1e-6)
    expect(one.mask).to.not.deep.equal(other.mask)
  })

  it('takes its own logits as the next prompt', async () => {
    const [first] = await segmenter.segment(image, { points: [[40, 40, 1]] })
    const [second] = await segmenter.segment(image, { points: [[40, 40, 1]], mask: first!.logits })
    expect(second!.logits).to.not.deep.equal(first!.logits)
    expect(segmenter.counts.encoded).to.equal(1)
  })
})

describe('prompts for the decoder', () => {
  it('a point goes with the boxes in which it lies, or with all', () => {
    const boxes = [[0, 0, 10, 10], [5, 5, 20, 20]] as const
    const points = [[2, 2, 1], [7, 7, 0], [15, 15, 1], [50, 50, 0]] as const
    expect(singlePrompts({ boxes, points }).map((each) => each.points.map(([x]) => x))).to.deep.equal([[2, 7, 50], [7, 15, 50]])
    expect(singlePrompts({ points })).to.deep.equal([{ points }])
    expect(singlePrompts({})).to.deep.equal([{ points: [] }])
  })

  it('a mask becomes ±10 by the share of each low-resolution pixel, and −10 beyond the image', () => {
    // 8×16 pixels on a canvas of 16: low-resolution pixels of 4×4.
    const half = fitted(8, 16, 16, { mask: Uint8Array.from({ length: 128 }, (_, i) => i % 16 < 6 ? 3 : 0) })
    expect([...maskLogits(half, 4)]).to.deep.equal([10, 0, -10, -10, 10, 0, -10, -10, -10, -10, -10, -10, -10, -10, -10, -10])
  })
})

describe('embedding cache', () => {
  it('keeps to its bytes, forgets the one unused longest, and asks the store', async () => {
    const stored = new Map<string, Float32Array>()
    const cache = new EmbeddingCache({
      memoryBytes: 24,
      store: {
        put: async (key, value) => {
          stored.set(key, value)
        },
        get: async (key) => stored.get(key)
      }
    })
    for (const key of ['a', 'b', 'c']) await cache.put(key, Float32Array.of(1, 2))
    await cache.get('a')
    await cache.put('d', Float32Array.of(3, 4))
    expect(cache.bytes).to.equal(24)
    stored.clear()
    expect(await cache.get('b')).to.equal(undefined)
    expect(await cache.get('a')).to.deep.equal(Float32Array.of(1, 2))
    stored.set('b', Float32Array.of(5, 6))
    expect(await cache.get('b')).to.deep.equal(Float32Array.of(5, 6))
    await cache.put('large', new Float32Array(7))
    expect(cache.bytes).to.equal(0)
  })
})
