import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { LevelDatastore } from 'datastore-level'
import { Key } from 'interface-datastore'
import { bounded } from '../../../../src/node/network/dht.ts'

describe('what others may store in the DHT of a federation', () => {
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('is its provider records, and not without end', async () => {
    const store = new LevelDatastore(folder)
    await store.open()
    const limited = bounded(store, '/dht/provider/ours/')
    await limited.put(new Key('/dht/record/x'), new Uint8Array(9))
    await limited.put(new Key('/dht/provider/others/x'), new Uint8Array(9))
    for (let i = 0; i < 2_000; i++) await limited.put(new Key(`/dht/provider/ours/${i}`), Uint8Array.of(1))
    await limited.put(new Key('/dht/provider/ours/0'), Uint8Array.of(2))
    const kept: string[] = []
    for await (const { key } of limited.query({})) kept.push(key.toString())
    expect(kept).to.have.length(1_024)
    expect(kept.every((key) => key.startsWith('/dht/provider/ours/'))).to.equal(true)
    expect(Uint8Array.from(await limited.get(new Key('/dht/provider/ours/0')))).to.deep.equal(Uint8Array.of(2))
    await store.close()
  })
})
