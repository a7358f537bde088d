import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createSchema } from '../../../../src/adapter/schema.ts'
import { SealedDelta } from '../../../../src/gossip-aggregation/groups/sealed-delta.ts'
import { SealedStore } from '../../../../src/home/sealed-store.ts'

const schema = createSchema({ model: 'm', baseHash: '0'.repeat(64), tensors: [{ name: 'x', shape: [3], role: 'lora' }] })
const delta = (value: number): SealedDelta => new SealedDelta(Float32Array.of(value, 2, 3))

describe('SealedStore', () => {
  let folder: string
  let store: SealedStore

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'consilium-')), 'sealed')
    store = new SealedStore({ folder, schema })
  })
  afterEach(async () => { await rm(join(folder, '..'), { recursive: true }) })

  it('keeps what the last checkpoint names and the one before, and goes on counting after a restart', async () => {
    for (const value of [1, 2, 3]) await store.settle(await store.save(delta(value)))
    expect((await readdir(folder)).sort()).to.deep.equal(['delta-0000000002.safetensors', 'delta-0000000003.safetensors'])
    const again = new SealedStore({ folder, schema })
    expect([...(await again.load(3))!]).to.deep.equal([3, 2, 3])
    expect(await again.save(delta(4))).to.equal(4)
    expect([...(await again.load(2))!]).to.deep.equal([2, 2, 3])
  })

  it('says what is damaged, and lets nothing that may have been seen go into a group again', async () => {
    expect(await store.used(7)).to.equal(0)
    await store.use(5)
    expect(await store.used(7)).to.equal(5)
    await writeFile(join(folder, 'used.json'), '{')
    expect(await store.used(7)).to.equal(7)
    const number = await store.save(delta(1))
    await writeFile(join(folder, 'delta-0000000001.safetensors'), 'nothing')
    expect(await store.load(number)).to.equal(undefined)
    expect(store.warnings).to.have.length(2)
  })

  it('shows nothing of it in JSON or in a log', () => {
    expect(JSON.stringify(delta(0.123))).to.equal('{"sealedNumbers":3}')
  })
})
