import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as ort from '#onnxruntime/dist/index.js'
import { Adapter } from '../../../src/adapter/adapter.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { toPortable } from '../../../src/compute/index.ts'
import { labelMapOf, toImages } from '../../../src/dataset/index.ts'
import { EmbeddingCache } from '../../../src/model/predict/embedding-cache.ts'
import type { ImagePrompt } from '../../../src/model/predict/prompts.ts'
import { lowResSide } from '../../../src/model/sam/build-sam.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { channelsFirst, tensor } from '../../fixtures/portable.ts'
import { config, createLearner, disc } from './learners.ts'

const side = lowResSide(config)
const prompts: Record<string, ImagePrompt> = {
  nothing: {},
  'a point': { points: [[40, 40, 1]] },
  'a box': { boxes: [[20, 20, 90, 80]] },
  'two points and a box': { points: [[40, 40, 1], [10, 8, 0]], boxes: [[20, 20, 90, 80]] },
  'a mask': { mask: Float32Array.from({ length: side ** 2 }, (_, i) => i % side < 9 ? 10 : -10) }
}

/** As docs/export.md says it to a caller: a box is two points, and points without a box end in one of label −1. */
function feeds (prompt: ImagePrompt): Record<string, ort.Tensor> {
  const { points = [], boxes = [], mask } = prompt
  const corners = boxes.flatMap(([x0, y0, x1, y1]) => [[x0, y0, 2], [x1, y1, 3]])
  const padding = points.length > 0 && boxes.length === 0 ? [[0, 0, -1]] : []
  // A disc is as wide as the side of the model.
  const all = [...points, ...corners, ...padding]
  const [coordinates, labels] = [all.flatMap(([x, y]) => [x, y]), all.map(([,, label]) => label)]
  return {
    point_coords: tensor([1, labels.length, 2], coordinates),
    point_labels: tensor([1, labels.length], labels),
    mask_input: tensor([1, 1, side, side], mask ?? new Float32Array(side ** 2)),
    has_mask_input: tensor([1], [mask == null ? 0 : 1])
  }
}

describe('a global model for other runtimes', function () {
  this.timeout(120_000)
  let folder: string
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  async function open (learner: Learner, adapter: Adapter, half: 'encoder' | 'decoder'): Promise<ort.InferenceSession> {
    const { [half]: { step, inputs }, weights } = learner.portable(adapter)
    const dataFile = `${half}.onnx.data`
    const { bytes, data } = await toPortable({ step, inputs, frozen: weights, open: 'points', dataFile, metadata: { side: '128' } })
    await writeFile(join(folder, dataFile), Buffer.concat(data))
    await writeFile(join(folder, `${half}.onnx`), bytes)
    return await ort.InferenceSession.create(join(folder, `${half}.onnx`))
  }

  const two = labelMapOf([{ value: 1, name: 'a' }, { value: 2, name: 'b' }])
  const givens: Record<string, Parameters<typeof createLearner>[0]> = {
    'with LoRA': {},
    'with bottlenecks': { model: { encoder: 'bottleneck' } },
    'of two classes, each with a pass of the decoder': { model: { classes: 'apart' }, labels: two }
  }
  for (const [what, given] of Object.entries(givens)) {
    it(`${what} answers every prompt in plain ONNX Runtime as here`, async () => {
      const learner = await createLearner(given)
      const random = seededRandom(5)
      const adapter = new Adapter(learner.schema, learner.initialAdapter().values.map((value) => value + 0.1 * (random() - 0.5)))
      const [encoder, decoder] = [await open(learner, adapter, 'encoder'), await open(learner, adapter, 'decoder')]
      const segmenter = learner.segmenter({ adapter, mode: 'global', cache: new EmbeddingCache({ memoryBytes: 2 ** 24 }) })
      const image = tensor([1, 3, 128, 128], channelsFirst(toImages([disc(0)]), 128))
      const { image_embeddings: embedding } = await encoder.run({ image })
      for (const [name, prompt] of Object.entries(prompts)) {
        const { low_res_masks: masks } = await decoder.run({ image_embeddings: embedding!, ...feeds(prompt) })
        const answers = [await segmenter.segment(disc(0), prompt), ...given?.labels == null
          ? [await segmenter.segment(disc(0), prompt, { multimask: true })]
          : []].flat()
        const wanted = answers.flatMap(({ logits }) => [...logits])
        expect(masks!.dims).to.deep.equal([1, wanted.length / side ** 2, side, side])
        const farthest = (masks!.data as Float32Array).reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0)
        expect(farthest, name).to.be.below(1e-3)
      }
      await Promise.all([encoder.release(), decoder.release(), segmenter.dispose(), learner.dispose()])
    })
  }
})
