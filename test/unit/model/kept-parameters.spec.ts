import { expect } from 'chai'
import { Adapter } from '../../../src/adapter/adapter.ts'
import { elementCount } from '../../../src/adapter/schema.ts'
import type { Learner } from '../../../src/model/train/learner.ts'
import type { Mode, ModelSettings } from '../../../src/settings/model.ts'
import { createLearner, discs } from './learners.ts'

const model: Partial<ModelSettings> = { moe: { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } }

async function kept (learner: Learner): Promise<Map<string, Float32Array>> {
  const tensors = (await learner.exportPrivate()).reveal()
  return new Map([...tensors].flatMap(([name, { data }]) => name.startsWith('own.') ? [[name.slice(4), data]] : []))
}

function named (adapter: Adapter): Map<string, Float32Array> {
  return new Map([...adapter.tensors()].map(([name, { data }]) => [name, data]))
}

describe('global parameters that a method keeps at the site', function () {
  this.timeout(60_000)
  let whole: Learner
  let parted: Learner

  before(async () => {
    whole = await createLearner({ model })
    parted = await createLearner({ model, keeps: ['decoder'] })
  })

  after(async () => { await Promise.all([whole, parted].map(async (each) => { await each.dispose() })) })

  it('are not in the schema, and the schema is another one', () => {
    const names = parted.schema.tensors.map(({ name }) => name)
    expect(names.some((name) => name.startsWith('mask_decoder.'))).to.equal(false)
    const rest = whole.schema.tensors.filter(({ name }) => !name.startsWith('mask_decoder.'))
    expect(names).to.deep.equal(rest.map(({ name }) => name))
    expect(parted.schema.size).to.equal(rest.reduce((sum, { shape }) => sum + elementCount(shape), 0))
    expect(parted.schema.hash).to.not.equal(whole.schema.hash)
    expect(parted.schema.model).to.not.equal(whole.schema.model)
  })

  it('are trained with the others by the very same steps', async () => {
    const { adapter: all, loss } = await whole.train('G', { adapter: whole.initialAdapter(), samples: discs, round: 1 })
    const { adapter: shared, loss: same } = await parted.train('G', { adapter: parted.initialAdapter(), samples: discs, round: 1 })
    const own = await kept(parted)
    expect(same).to.equal(loss)
    for (const [name, data] of named(all)) expect(named(shared).get(name) ?? own.get(name), name).to.deep.equal(data)
    expect(own.size + shared.schema.tensors.length).to.equal(all.schema.tensors.length)
  })

  it('serve in the personal model alone; the global one has them as they start', async () => {
    const adapter = parted.initialAdapter()
    const samples = discs.slice(0, 1)
    const score = async (mode: Mode): Promise<Uint8Array> => (await parted.predict({ adapter, samples, mode }))[0]!
    expect(await score('global')).to.deep.equal(await score('frozen'))
    expect(await score('personal')).to.not.deep.equal(await score('global'))
  })

  it('come back out of the private set, and not into another model', async () => {
    const set = await parted.exportPrivate()
    const other = await createLearner({ model, keeps: ['decoder'] })
    other.importPrivate(set)
    expect(await kept(other)).to.deep.equal(await kept(parted))
    expect(() => { whole.importPrivate(set) }).to.throw('belongs to another model')
    await other.dispose()
  })

  it('stay what they are when the adapter of another site comes', async () => {
    const before = await kept(parted)
    const moved = new Adapter(parted.schema, parted.initialAdapter().values.map((value) => value + 0.01))
    await parted.predict({ adapter: moved, samples: discs.slice(0, 1), mode: 'personal' })
    expect(await kept(parted)).to.deep.equal(before)
  })
})
