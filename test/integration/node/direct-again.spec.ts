import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { pino } from 'pino'
import { createHost, type Host } from '../../../src/node/network/host.ts'
import { keyedNoise } from '../../../src/node/network/keyed-noise.ts'
import { PeerLimits } from '../../../src/node/network/limits/peer-limits.ts'
import { DirectAgain } from '../../../src/node/network/reach/direct-again.ts'
import { isDirect } from '../../../src/node/network/reach/relay-keeper.ts'

const FEDERATION = 'a'.repeat(64)
const LOOPBACK = ['/ip4/127.0.0.1/tcp/0']

describe('two that met through a relay', function () {
  this.timeout(120_000)
  const hosts: Host[] = []

  after(async () => { await Promise.all(hosts.map(async (host) => { await host.stop() })) })

  async function start (init: { listen: string[], relay?: boolean }): Promise<Host> {
    const host = await createHost({
      key: await generateKeyPair('Ed25519'),
      federationId: FEDERATION,
      limits: new PeerLimits({ onBan: () => {} }),
      encrypter: keyedNoise({ federationId: FEDERATION, networkKey: Buffer.alloc(32, 1), onRefused: () => {} }),
      services: {},
      ...init
    })
    hosts.push(host)
    return host
  }

  async function until (what: string, holds: () => boolean): Promise<void> {
    const end = Date.now() + 60_000
    while (!holds()) {
      if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
      await sleep(100)
    }
  }

  it('are connected directly where one of them can be dialled, and the relay passes nothing on any more', async () => {
    const [relay, open, closed] = [
      await start({ listen: LOOPBACK, relay: true }), await start({ listen: LOOPBACK }), await start({ listen: [] })
    ]
    for (const host of [open, closed]) await host.dial(relay.getMultiaddrs())
    const notices = { warn: () => {}, over: () => {} }
    closed.services.relays.begin({ isCertified: () => true, notices, logger: pino({ level: 'silent' }) })
    const circuit = (): string | undefined => closed.getMultiaddrs().map(String).find((each) => each.includes('/p2p-circuit'))
    await until('it holds a place at the relay', () => circuit() != null)
    await open.dial(multiaddr(circuit()))
    const between = (): ReturnType<Host['getConnections']> => closed.getConnections(open.peerId)
    await until('both see it', () => between().length === 1)
    expect(between().map(isDirect)).to.deep.equal([false])
    const again = new DirectAgain(closed, { graceMs: 100 })
    again.start()
    try {
      await until('they are connected directly, and only so', () => between().length === 1 && between().every(isDirect))
    } finally {
      again.stop()
      closed.services.relays.end()
    }
  })
})
