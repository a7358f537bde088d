import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { TrainerProcess } from '../../../../src/node/trainer-process.ts'
import { withoutNetwork } from '../../../../src/node/without-network.ts'

const entry = fileURLToPath(new URL('../../../fixtures/trainer/calling-trainer.js', import.meta.url))

describe('a trainer that tries to reach the network', function () {
  this.timeout(60_000)
  let server: Server
  let calls: number

  beforeEach(async () => {
    calls = 0
    server = createServer((socket) => {
      calls++
      socket.destroy()
    }).listen(0)
    await once(server, 'listening')
  })

  afterEach(() => { server.close() })

  /** What came of it, at this machine by both its loopback addresses and by the one that others reach it at. */
  async function tried (isolate: typeof withoutNetwork): Promise<{ said: string, isIsolated: boolean }> {
    const mine = Object.values(networkInterfaces()).flat().find((each) => each?.family === 'IPv4' && !each.internal)
    const data = JSON.stringify({ port: (server.address() as AddressInfo).port, outside: mine?.address ?? '127.0.0.2' })
    const trainer = new TrainerProcess({ entry, setup: { data } as never, nice: 0, isolate })
    try {
      const { engineReason } = await trainer.start()
      return { said: engineReason, isIsolated: trainer.isIsolated }
    } finally {
      await trainer.stop()
    }
  }

  it('reaches nothing, not even this machine', async function () {
    if (await withoutNetwork() == null) {
      console.log('      skipped: this machine gives no namespace without a network (unshare of util-linux)')
      this.skip()
    }
    const { said, isIsolated } = await tried(withoutNetwork)
    expect(said).to.match(/^(E[A-Z]+|listened)( E[A-Z]+){3}$/)
    expect([calls, isIsolated]).to.deep.equal([0, true])
  })

  it('would reach this machine otherwise, and the site knows', async () => {
    const { said, isIsolated } = await tried(() => Promise.resolve(undefined))
    expect(said).to.match(/^listened connected/)
    expect(isIsolated).to.equal(false)
    expect(calls).to.be.above(0)
  })
})
