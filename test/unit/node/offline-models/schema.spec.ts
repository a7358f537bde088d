import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { FederationDocument } from '../../../../src/federation/document.ts'
import { checkModel, modelSection, trainingSection } from '../../../../src/site-model/fit-settings.ts'
import { createLearner } from '../../../../src/site-model/learner.ts'
import { testEngine } from '../../model/golden.ts'

type Model = FederationDocument['model']
type Others<T> = { readonly [K in keyof Required<T>]: readonly Exclude<T[K], undefined>[] }

/** Every setting under `model` with values that are not sam-tiny's default; one that is new and absent here does not compile. */
const OTHERS: Others<Omit<Model, 'name' | 'baseHash' | 'classes' | 'lora' | 'moe'>> & {
  readonly lora: Others<Model['lora']>,
  readonly moe: Others<Model['moe']>
} = {
  imageSize: [64, 256],
  pixels: ['unit'],
  channels: [[0], [1], [0, 1], [0, 1, 2], [0, 0, 1]],
  window: [
    'auto',
    { centre: 40, width: 400 },
    { centre: 40, width: 350 },
    { percentiles: [0.5, 99.5] },
    ['auto', { centre: 40, width: 400 }],
    [{ centre: 40, width: 400 }, 'auto']
  ],
  encoder: ['bottleneck', 'full'],
  decoder: ['frozen', 'lora', 'lora+heads', 'full'],
  lora: { blocks: [[0, 1, 2], [3]], rank: [1, 8], alpha: [1, 8], aggregation: ['ffa', 'product-svd'] },
  moe: { blocks: [[3], []], experts: [2, 8], topK: [1, 3], bottleneck: [4], gate: ['image'], expert: ['lora'], noise: [0.25] }
}

/** The default in words: means the same, so it must be the same schema. */
const SAME: readonly ((model: Model) => Model)[] = [
  (model) => ({ ...model, pixels: 'imagenet' }),
  (model) => ({ ...model, encoder: 'lora' }),
  // Of one class there is nothing to part.
  (model) => ({ ...model, classes: 'together' }),
  (model) => ({ ...model, classes: 'apart' }),
  (model) => ({ ...model, lora: { ...model.lora, aggregation: 'factors' } }),
  (model) => ({ ...model, moe: { ...model.moe, noise: 0 } })
]

function changed (model: Model): [what: string, model: Model][] {
  const { lora, moe, ...own } = OTHERS
  const each = (
    settings: Readonly<Record<string, readonly unknown[]>>,
    change: (part: object) => object,
    prefix: string
  ): [string, Model][] =>
    Object.entries(settings).flatMap(([key, values]) =>
      values.map((value): [string, Model] => [`${prefix}${key} ${JSON.stringify(value)}`, { ...model, ...change({ [key]: value }) }])
    )
  return [
    ...each(own, (part) => part, ''),
    ...each(lora, (part) => ({ lora: { ...model.lora, ...part } }), 'lora.'),
    ...each(moe, (part) => ({ moe: { ...model.moe, ...part } }), 'moe.')
  ]
}

describe('the schema of a federation', function () {
  this.timeout(60_000)
  const models = join(tmpdir(), 'consilium-no-models')

  async function schemaHash (model: Model, labels?: FederationDocument['labels']): Promise<string> {
    checkModel(model, undefined, labels)
    const learner = await createLearner({
      engine: await testEngine(),
      model,
      training: trainingSection(model, { rounds: 1, seed: 1 }),
      labels,
      models,
      siteSeed: 1
    })
    await learner.dispose()
    return learner.schema.hash
  }

  it('is another one with every other setting under model, and the same where a default is written out', async () => {
    const model = await modelSection(models, 'sam-tiny')
    const known = new Map([[await schemaHash(model), 'the default']])
    for (const [what, other] of changed(model)) {
      const hash = await schemaHash(other)
      expect(known.get(hash), what).to.equal(undefined)
      known.set(hash, what)
    }
    expect(known.size).to.be.greaterThan(20)
    // The last of fewer channels than three fills the planes that are left.
    const [short, long] = [[0, 1], [0, 1, 1]].map((channels) => ({ ...model, channels }))
    expect(await schemaHash(short!)).to.equal(await schemaHash(long!))
    for (const same of SAME) expect(known.get(await schemaHash(same(model)))).to.equal('the default')
  })

  it('is another one where several classes have a pass of the decoder each', async () => {
    const model = await modelSection(models, 'sam-tiny')
    const labels = [{ name: 'brain', values: [1, 2] }, { name: 'core', value: 2 }]
    const together = await schemaHash(model, labels)
    expect(await schemaHash({ ...model, classes: 'together' }, labels)).to.equal(together)
    expect(await schemaHash({ ...model, classes: 'apart' }, labels)).not.to.equal(together)
  })
})
