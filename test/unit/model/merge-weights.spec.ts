import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { Adapter } from '../../../src/adapter/adapter.ts'
import type { NamedTensor } from '../../../src/adapter/safetensors.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { InputError } from '../../../src/errors.ts'
import { EmbeddingCache } from '../../../src/model/predict/embedding-cache.ts'
import { checkWeights } from '../../../src/model/sam/weights.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import { openPth } from '../../../src/site-model/base/pth/pth-file.ts'
import { pthParts } from '../../../src/site-model/base/pth/write-pth.ts'
import { defaultModelSettings, type ModelSettings } from '../../../src/settings/model.ts'
import { config, createLearner, disc } from './learners.ts'

/** A learner and a global adapter that changes what it computes. */
async function changed (given: Parameters<typeof createLearner>[0] = {}): Promise<{ learner: Learner, adapter: Adapter }> {
  const learner = await createLearner(given)
  const random = seededRandom(5)
  const values = learner.initialAdapter().values.map((value) => value + 0.1 * (random() - 0.5))
  return { learner, adapter: new Adapter(learner.schema, values) }
}

async function logitsOf (learner: Learner, adapter: Adapter, mode: 'frozen' | 'global'): Promise<Float32Array> {
  const segmenter = learner.segmenter({ adapter, mode, cache: new EmbeddingCache({ memoryBytes: 0 }) })
  const [map] = await segmenter.segment(disc(0), { boxes: [[20, 20, 90, 80]] })
  await segmenter.dispose()
  return map!.logits
}

describe('a SAM with the adapter merged', function () {
  this.timeout(60_000)

  const { lora } = defaultModelSettings(config)
  const models: Record<string, Partial<ModelSettings>> = {
    factors: {},
    products: { lora: { ...lora, aggregation: 'product-svd' } },
    'a whole encoder': { encoder: 'full' }
  }
  for (const [what, model] of Object.entries(models)) {
    it(`of ${what} computes without adapters what the global model does`, async () => {
      const { learner, adapter } = await changed({ model })
      const weights = learner.portable(adapter).merged()
      checkWeights(config, new Map(Object.entries(weights)))
      const plain = await createLearner({ weights })
      const [base, wanted] = [await logitsOf(learner, adapter, 'frozen'), await logitsOf(learner, adapter, 'global')]
      const found = await logitsOf(plain, plain.initialAdapter(), 'frozen')
      const farthest = (one: Float32Array, other: Float32Array): number =>
        one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0)
      expect(farthest(base, wanted)).to.be.above(0.01)
      expect(farthest(found, wanted)).to.be.below(1e-3)
      for (const each of [learner, plain]) await each.dispose()
    })
  }

  it('is refused where SAM has no place for what is trained', async () => {
    const { learner, adapter } = await changed({ model: { encoder: 'bottleneck' } })
    expect(() => learner.portable(adapter).merged()).to.throw(InputError, 'SAM has no place for')
    await learner.dispose()
  })

  it('is read back from its .pth as it was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ minLength: 1 }), shapes, { minKeys: 1, noNullPrototype: true }), async (given) => {
        const tensors = new Map(Object.entries(given).map(([name, shape], at): [string, NamedTensor] =>
          [name, { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at - i / 3) }]))
        const path = join(folder, 'x.pth')
        await writeFile(path, Buffer.concat(pthParts(tensors)))
        const file = await openPth(path)
        expect(file.shapes).to.deep.equal(new Map([...tensors].map(([name, { shape }]) => [name, shape])))
        for (const [name, { data }] of tensors) expect(await file.read(name)).to.deep.equal(data)
        await file.close()
      }),
      { numRuns: 30 }
    )
    await rm(folder, { recursive: true })
  })
})
