import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { expect } from 'chai'
import { Ledger } from '../../../../src/audit/ledger.ts'
import { readTail } from '../../../../src/audit/tail.ts'

describe('the end of a ledger', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  const exchange = (partner: string, outcome: 'committed' | 'failed' = 'committed'): Parameters<Ledger['append']>[0] =>
    ({ kind: 'exchange', id: 'x', partner, role: 'initiator', outcome, round: 1, tensors: 1 })

  async function open (segmentBytes?: number): Promise<Ledger> {
    const key = await generateKeyPair('Ed25519')
    const told = { onFailure: (error: unknown) => { throw error as Error } }
    const owner = { folder, key, peerId: 'p', federation: 'f', now: Date.now }
    return await Ledger.open({ ...owner, ...told, ...(segmentBytes == null ? {} : { segmentBytes }) })
  }

  it('tells with whom was exchanged since the last round, while it is written', async () => {
    expect((await readTail(join(folder, 'none'))).entries).to.deep.equal([])
    const ledger = await open()
    ledger.append(exchange('before'))
    ledger.append({ kind: 'round', round: 1, exchanges: 1, bytesSent: 1, bytesReceived: 1 })
    for (const partner of ['a', 'b', 'a']) ledger.append(exchange(partner))
    ledger.append(exchange('c', 'failed'))
    ledger.append({ kind: 'settled', id: 'x', partner: 'd', outcome: 'committed' })
    await ledger.flush()
    await appendFile(join(folder, 'ledger-000001.jsonl'), '{"torn')
    const { entries, exchanged } = await readTail(folder)
    const four = Array.from({ length: 4 }, () => 'exchange')
    expect(entries.map(({ kind }) => kind)).to.deep.equal(['start', 'exchange', 'round', ...four, 'settled'])
    expect([...exchanged]).to.deep.equal([['a', 2], ['b', 1], ['d', 1]])
    await ledger.close()
  })

  it('reads the last quarter of a megabyte and no more, and goes back one file where the last is short', async () => {
    const ledger = await open(400_000)
    for (let i = 0; i < 3_000; i++) ledger.append(exchange(`partner-${i}`))
    await ledger.flush()
    const { entries } = await readTail(folder)
    expect(entries.at(-1)!.seq).to.equal(3_001)
    expect(entries.length).to.be.within(50, 2_999)
    await ledger.close()
  })
})
