import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createSchema } from '../../../../src/adapter/schema.ts'
import { UnmixedStore } from '../../../../src/home/unmixed-store.ts'

const schema = createSchema({ model: 'fake', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [2], role: 'lora' }] })
const landed = [{ until: 16, delta: Float32Array.of(1, 2) }, { until: 100_000, delta: Float32Array.of(3, 4) }]

describe('the store of training that no other site has', () => {
  let folder: string
  const open = (): UnmixedStore => new UnmixedStore({ folder: join(folder, 'unmixed'), schema })

  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('gives back what was saved, oldest first, and nothing before', async () => {
    expect(await open().load()).to.deep.equal([])
    await open().save(landed)
    expect(await open().load()).to.deep.equal(landed)
  })

  it('forgets what arrived, and what no checkpoint holds', async () => {
    const store = open()
    await store.save([...landed, { until: 40, delta: Float32Array.of(5, 6) }])
    await store.dropArrived(16)
    await store.dropBeyond(48)
    expect(await open().load()).to.deep.equal([{ until: 40, delta: Float32Array.of(5, 6) }])
    const reopened = open()
    await reopened.load()
    await reopened.dropArrived(40)
    expect(await readdir(join(folder, 'unmixed'))).to.deep.equal([])
  })

  it('says in a sentence which file is damaged, and goes on with the others', async () => {
    await open().save(landed)
    await truncate(join(folder, 'unmixed', 'steps-0000000016.safetensors'), 20)
    const store = open()
    expect(await store.load()).to.deep.equal(landed.slice(1))
    expect(store.warnings.join()).to.match(/steps-0000000016\.safetensors is damaged \(.+\): the adapter holds what it says/)
  })
})
