import { expect } from 'chai'
import { Adapter } from '../../../../src/adapter/adapter.ts'
import type { Learner } from '../../../../src/model/train/learner.ts'
import type { LoraAggregation } from '../../../../src/settings/model.ts'
import { createLearner, disc, discs } from '../learners.ts'

const lora = { blocks: [1, 3], rank: 4, alpha: 4 }
const PLACE = 'image_encoder.blocks.1.attn.qkv'

async function open (aggregation: LoraAggregation, siteSeed = 7): Promise<Learner> {
  return await createLearner({
    siteSeed,
    model: { lora: { ...lora, aggregation }, decoder: 'lora' },
    train: { lrLora: 1e-2, teacherG: 'none', augment: false, epochsG: 6 }
  })
}

const mean = (a: Adapter, b: Adapter): Adapter => new Adapter(a.schema, a.values.map((value, i) => (value + b.values[i]!) / 2))
const tensor = (adapter: Adapter, name: string): Float32Array => adapter.tensors().get(name)!.data

/** B·A of the q update of block 1, whatever travels. */
function product (adapter: Adapter, fixedA?: Float32Array): Float32Array {
  const whole = adapter.tensors().get(`${PLACE}.lora_BA_q`)?.data
  if (whole != null) return whole
  const [a, b] = [fixedA ?? tensor(adapter, `${PLACE}.lora_A_q`), tensor(adapter, `${PLACE}.lora_B_q`)]
  return Float32Array.from(
    { length: 96 * 96 },
    (_, i) => [0, 1, 2, 3].reduce((sum, k) => sum + b[Math.floor(i / 96) * 4 + k]! * a[k * 96 + i % 96]!, 0)
  )
}

const greatest = (values: Iterable<number>): number => Math.max(...[...values].map(Math.abs))

describe('what of LoRA travels', function () {
  this.timeout(120_000)

  it('is part of the schema: three settings, three schemas', async () => {
    const learners = await Promise.all((['factors', 'ffa', 'product-svd'] as const).map(async (each) => await open(each)))
    const [factors, ffa, whole] = learners.map(({ schema }) => schema.tensors.map(({ name }) => name))
    expect(new Set(learners.map(({ schema }) => schema.hash)).size).to.equal(3)
    expect(factors!.filter((name) => name.includes('lora_A'))).to.have.length(4 + 14)
    expect(ffa).to.deep.equal(factors!.filter((name) => !name.includes('lora_A')))
    expect(whole!.every((name) => name.includes('lora_BA'))).to.equal(true)
    expect(whole).to.have.length(4 + 14)
    await Promise.all(learners.map(async (each) => { await each.dispose() }))
  })

  for (const aggregation of ['ffa', 'product-svd'] as const) {
    it(`${aggregation}: starts as the base, learns, and the mean of two adapters is the mean of their updates`, async () => {
      const [one, other] = [await open(aggregation), await open(aggregation, 8)]
      const start = one.initialAdapter()
      expect(other.initialAdapter().values).to.deep.equal(start.values)
      const masks = async (adapter: Adapter, mode: 'frozen' | 'global'): Promise<Uint8Array[]> =>
        await one.predict({ adapter, samples: discs, mode })
      expect(await masks(start, 'global')).to.deep.equal(await masks(start, 'frozen'))
      const a = await one.train('G', { adapter: start, samples: discs.slice(0, 2), round: 1 })
      const again = await one.train('G', { adapter: a.adapter, samples: discs.slice(0, 2), round: 2 })
      expect(again.loss).to.be.lessThan(a.loss)
      const b = await other.train('G', { adapter: start, samples: [disc(2), disc(3)], round: 1 })
      const fixed = aggregation === 'ffa' ? tensor((await open('factors')).initialAdapter(), `${PLACE}.lora_A_q`) : undefined
      const [pa, pb, pm] = [a.adapter, b.adapter, mean(a.adapter, b.adapter)].map((each) => product(each, fixed)) as [
        Float32Array,
        Float32Array,
        Float32Array
      ]
      expect(greatest(pa)).to.be.greaterThan(1e-3)
      expect(greatest(pm.map((value, i) => value - (pa[i]! + pb[i]!) / 2))).to.be.at.most(1e-6)
      // It goes on from the mean, which has a greater rank than one site's update.
      expect(Number.isFinite((await one.train('G', { adapter: mean(a.adapter, b.adapter), samples: discs, round: 2 })).loss)).to.equal(true)
      await Promise.all([one, other].map(async (each) => { await each.dispose() }))
    })
  }

  it('ffa: A comes from the federation\'s seed, so adapters of two seeds never meet', async () => {
    const ffa = { model: { lora: { ...lora, aggregation: 'ffa' as const } } }
    const [one, same, other] = [
      await createLearner(ffa),
      await createLearner({ ...ffa, siteSeed: 99 }),
      await createLearner({ ...ffa, seed: 4 })
    ]
    expect(same.schema.hash).to.equal(one.schema.hash)
    expect(other.schema.hash).to.not.equal(one.schema.hash)
    await Promise.all([one, same, other].map(async (each) => { await each.dispose() }))
  })

  it('product-svd: a lone site trains as if the factors had travelled, up to what two factors of one product can differ', async () => {
    const [whole, factors] = [await open('product-svd'), await open('factors')]
    const [a, b] = await Promise.all(
      [whole, factors].map(async (each) => await each.train('G', { adapter: each.initialAdapter(), samples: discs, round: 1 }))
    )
    expect(a!.loss).to.equal(b!.loss)
    const [pa, pb] = [product(a!.adapter), product(b!.adapter)]
    expect(greatest(pa.map((value, i) => value - pb[i]!))).to.be.at.most(1e-6)
    await Promise.all([whole, factors].map(async (each) => { await each.dispose() }))
  })
})
