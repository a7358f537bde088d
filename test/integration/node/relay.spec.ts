import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { readFederation } from '../../../src/federation/document.ts'
import { readPeerId } from '../../../src/federation/identity.ts'
import { readKeyRing } from '../../../src/federation/membership/network-key.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import { createHost, type Host } from '../../../src/node/network/host.ts'
import { keyedNoise } from '../../../src/node/network/keyed-noise.ts'
import { PeerLimits } from '../../../src/node/network/limits/peer-limits.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { Sites } from './sites.ts'
import { Tap } from './tap.ts'

/** An address at which nobody is: what a site behind a firewall has for others. */
const CLOSED = { announce: ['/ip4/127.0.0.1/tcp/1'] }

/** The fake trainer's adapter: eight numbers, an eighth apart. */
function holdsVector (bytes: Buffer): boolean {
  for (let at = 0; at + 32 <= bytes.length; at++) {
    const first = bytes.readFloatLE(at)
    let count = 1
    while (count < 8 && Math.abs(bytes.readFloatLE(at + 4 * count) - first - count / 8) < 1e-3) count++
    if (count === 8) return true
  }
  return false
}

/** A host with the federation's network key, and nothing else of it. */
async function strangerOf (sites: Sites): Promise<Host> {
  const { id } = await readFederation(sites.paths('r').federation)
  const networkKey = Buffer.from((await readKeyRing(sites.paths('r').networkKey)).current, 'hex')
  return await createHost({
    key: await generateKeyPair('Ed25519'),
    federationId: id,
    listen: [],
    limits: new PeerLimits({ onBan: () => {} }),
    encrypter: keyedNoise({ federationId: id, networkKey, onRefused: () => {} }),
    services: {}
  })
}

async function closestTo ({ services: { dht } }: Host, peerId: string): Promise<string[]> {
  const found: string[] = []
  const key = peerIdFromString(peerId).toMultihash().bytes
  for await (const event of dht.getClosestPeers(key, { signal: AbortSignal.timeout(5_000) })) {
    if (event.name === 'FINAL_PEER') found.push(event.peer.id.toString())
  }
  return found
}

describe('members behind firewalls', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function viewOf (name: string, partner: string): Promise<PeerView | undefined> {
    const id = await readPeerId(sites.paths(partner).identity)
    const peers = await fetchControl<PeerView[]>(sites.paths(name).home, '/peers').catch(() => [])
    return peers.find(({ peerId }) => peerId === id)
  }

  async function until (what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 300_000
    while (!await holds()) {
      if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
      await sleep(200)
    }
  }

  it('exchange through a member that relays, and through another when that one is gone', async () => {
    sites = await Sites.create(['r', 's', 'b', 'c'], { rounds: 100_000 })
    const manners = { delayMs: 300 }
    const daemons = ['r', 's'].map((name) => sites.daemon(name, { manners, settings: { relay: true } }))
    const running = daemons.map(async (daemon) => await daemon.run())
    const [r, s] = await Promise.all(['r', 's'].map(async (name) => await sites.statusOf(name, ({ addresses }) => addresses.length > 0)))
    const bootstrap = [...r!.addresses, ...s!.addresses]
    for (const name of ['b', 'c']) {
      const daemon = sites.daemon(name, { manners, bootstrap, settings: CLOSED })
      daemons.push(daemon)
      running.push(daemon.run())
    }
    try {
      await until('b exchanged with c', async () => ((await viewOf('b', 'c'))?.exchanges ?? 0) > 0)
      const view = (await viewOf('b', 'c'))!
      expect(view.reach).to.match(/^relayed by /)
      const status = await sites.statusOf('b', ({ relays }) => relays.length === 2)
      expect(status.relays).to.have.members([r!.peerId, s!.peerId])
      const by = view.reach!.includes(r!.peerId) ? 0 : 1
      expect((await sites.statusOf(['r', 's'][by]!, () => true)).relayedBytes).to.be.above(1_000)
      const before = view.exchanges
      daemons[by]!.requestStop()
      await running[by]
      await until('b exchanged with c again', async () => ((await viewOf('b', 'c'))?.exchanges ?? 0) > before + 1)
      expect((await viewOf('b', 'c'))?.reach).to.include([r!, s!][1 - by]!.peerId)
    } finally {
      for (const daemon of daemons) daemon.requestStop()
      await Promise.all(running)
    }
  })

  it('tell the relay nothing: what it passes on is ciphertext', async () => {
    sites = await Sites.create(['r', 'b', 'c'], { rounds: 100_000, codec: 'f32' })
    const taps = { r: new Tap(), b: new Tap() }
    // Of another schema: no vector is its own.
    const relay = sites.daemon('r', { manners: { delayMs: 300, baseHash: 'f'.repeat(64) }, settings: { relay: true }, tap: taps.r.wrap })
    const daemons = [relay]
    const running = [relay.run()]
    const { addresses: bootstrap } = await sites.statusOf('r', ({ addresses }) => addresses.length > 0)
    for (const name of ['b', 'c']) {
      const tap = name === 'b' ? { tap: taps.b.wrap } : {}
      const daemon = sites.daemon(name, { manners: { delayMs: 300 }, bootstrap, settings: CLOSED, ...tap })
      daemons.push(daemon)
      running.push(daemon.run())
    }
    try {
      await until('b exchanged with c', async () => ((await viewOf('b', 'c'))?.exchanges ?? 0) > 2)
      expect((await sites.statusOf('r', () => true)).relayedBytes).to.be.above(1_000)
      expect([holdsVector(taps.b.bytes()), holdsVector(taps.r.bytes())]).to.deep.equal([true, false])
    } finally {
      for (const daemon of daemons) daemon.requestStop()
      await Promise.all(running)
    }
  })

  it('whoever has the network key but no certificate is neither passed on nor told who else is there', async () => {
    sites = await Sites.create(['r', 'b'], { rounds: 100_000 })
    const daemons = [sites.daemon('r', { manners: { delayMs: 300 }, settings: { relay: true } })]
    const running = daemons.map(async (daemon) => await daemon.run())
    const { addresses, peerId: relay } = await sites.statusOf('r', (status) => status.addresses.length > 0)
    const member = sites.daemon('b', { manners: { delayMs: 300 }, bootstrap: addresses, settings: CLOSED })
    daemons.push(member)
    running.push(member.run())
    const stranger = await strangerOf(sites)
    try {
      const { peerId } = await sites.statusOf('b', ({ relays }) => relays.length === 1)
      const address = multiaddr(addresses[0])
      await stranger.dial(address)
      const found = await closestTo(stranger, peerId).catch(() => [])
      const known = (await stranger.peerStore.all()).map(({ id }) => id.toString())
      expect([...found, ...known]).to.include(relay).and.not.include(peerId)
      const through = stranger.dial(address.encapsulate(`/p2p-circuit/p2p/${peerId}`), { signal: AbortSignal.timeout(5_000) })
      expect(await through.catch((error: unknown) => error)).to.be.instanceOf(Error)
      // The reservation of b itself has a few bytes.
      expect((await sites.statusOf('r', () => true)).relayedBytes).to.be.below(100)
    } finally {
      await stranger.stop()
      for (const daemon of daemons) daemon.requestStop()
      await Promise.all(running)
    }
  })

  it('no stranger reserves or is passed on', async () => {
    sites = await Sites.create(['r', 'b'], { rounds: 100_000 })
    const relay = sites.daemon('r', { manners: { delayMs: 300 }, settings: { relay: true } })
    const running = relay.run()
    try {
      const { addresses } = await sites.statusOf('r', (status) => status.addresses.length > 0)
      await rm(sites.paths('b').certificate)
      const stranger = sites.daemon('b', { manners: { delayMs: 300 }, bootstrap: addresses, settings: CLOSED })
      const trying = stranger.run()
      await sites.statusOf('b', ({ refusedCertificates }) => refusedCertificates > 0)
      await sleep(3_000)
      expect((await sites.statusOf('b', () => true)).relays).to.deep.equal([])
      expect((await sites.statusOf('r', () => true)).relayedBytes).to.equal(0)
      stranger.requestStop()
      await trying
    } finally {
      relay.requestStop()
      await running
    }
  })
})
