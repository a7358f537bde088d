import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import type { ServiceFactoryMap } from 'libp2p'
import { Discovery } from '../../../src/node/network/discovery.ts'
import { createHost, type Host } from '../../../src/node/network/host.ts'
import { type FailedHandshake, keyedNoise } from '../../../src/node/network/keyed-noise.ts'
import { PeerLimits } from '../../../src/node/network/limits/peer-limits.ts'
import { openPeerBook } from '../../../src/node/network/peer-book.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'

const FEDERATION = 'ab'.repeat(32)
const KEY = Buffer.alloc(32, 7)
const LISTEN = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']
const FAST = { tickMs: 50, lookupMs: 1_000, bootstrap: { firstMs: 100, lastMs: 500 }, known: { firstMs: 100, lastMs: 500 } }

interface Site {
  readonly host: Host
  readonly discovery: Discovery
  readonly notices: Notices
  readonly refusals: FailedHandshake[]
  /** Peers whose addresses are in the peer store. */
  readonly identified: Set<string>
  stop (): Promise<void>
}

async function until (what: string, holds: () => boolean, source: EventTarget): Promise<void> {
  const signal = AbortSignal.timeout(120_000)
  while (!holds()) {
    await Promise.race([
      once(source, 'peer:connect', { signal }),
      once(source, 'peer:disconnect', { signal }),
      once(source, 'peer:identify', { signal })
    ]).catch(() => {
      throw new Error(`waited in vain until ${what}`)
    })
  }
}

describe('discovery', function () {
  this.timeout(600_000)
  const sites: Site[] = []
  const folders: string[] = []

  afterEach(async () => {
    await Promise.all(sites.splice(0).map(async (site) => { await site.stop() }))
    await Promise.all(folders.splice(0).map(async (folder) => { await rm(folder, { recursive: true }) }))
  })

  async function startSite (
    { bootstrap = [], hints, key, networkKey = KEY, folder, listen = LISTEN, relay = false, mostConnections = 64, services = {} }: {
      bootstrap?: string[],
      hints?: () => string[],
      key?: PrivateKey,
      networkKey?: Uint8Array,
      folder?: string,
      listen?: string[],
      mostConnections?: number,
      relay?: boolean,
      services?: ServiceFactoryMap
    } = {}
  ): Promise<Site> {
    const refusals: FailedHandshake[] = []
    const logger = createLogger('silent')
    const notices = new Notices(logger)
    const datastore = folder == null ? undefined : (await openPeerBook(folder, folder)).datastore
    const host = await createHost({
      key: key ?? await generateKeyPair('Ed25519'),
      federationId: FEDERATION,
      listen,
      limits: new PeerLimits({ onBan: () => {} }),
      encrypter: keyedNoise({ federationId: FEDERATION, networkKey, onRefused: (refusal) => refusals.push(refusal) }),
      ...(datastore == null ? {} : { datastore }),
      relay,
      services
    })
    const more = { mostConnections, ...(hints == null ? {} : { hints }) }
    const discovery = new Discovery({ host, federationId: FEDERATION, bootstrap, logger, notices, times: FAST, ...more })
    const identified = new Set<string>()
    host.addEventListener('peer:identify', ({ detail }) => identified.add(detail.peerId.toString()))
    discovery.start()
    let stopped = false
    const site: Site = {
      host,
      discovery,
      notices,
      refusals,
      identified,
      stop: async () => {
        if (stopped) return
        stopped = true
        host.services.relays.end()
        await discovery.stop()
        await host.stop()
        await datastore?.close()
      }
    }
    sites.push(site)
    return site
  }

  const addressOf = ({ host }: Site): string => host.getMultiaddrs()[0]!.toString()
  const knows = (site: Site, others: Site[]): boolean =>
    others.every(({ host }) => site.host.getConnections(host.peerId).length > 0 && site.identified.has(host.peerId.toString()))

  it('finds everybody from one address, and again without the bootstrap node after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    folders.push(folder)
    const key = await generateKeyPair('Ed25519')
    const first = await startSite()
    const second = await startSite({ bootstrap: [addressOf(first)] })
    const third = await startSite({ bootstrap: [addressOf(first)], key, folder })
    await until('the third found the second', () => knows(third, [first, second]), third.host)
    await until('the second found the third', () => knows(second, [first, third]), second.host)

    const own = addressOf(third)
    await first.stop()
    await third.stop()
    await until('the second is alone', () => second.host.getPeers().length === 0, second.host)
    const restarted = await startSite({ bootstrap: [own], key, folder })
    expect(restarted.host.peerId.toString()).to.equal(third.host.peerId.toString())
    await until('the restarted site found the second', () => knows(restarted, [second]), restarted.host)
  })

  it('finds a site that it only hears of, at its own relay', async () => {
    const relay = await startSite({ relay: true })
    const closed = await startSite({ bootstrap: [addressOf(relay)] })
    closed.host.services.relays.begin({ isCertified: () => true, notices: closed.notices, logger: createLogger('silent') })
    // Nobody tells it an address.
    const noDht = (): object => ({ getMode: () => 'client', setMode: async () => {} })
    const hearing = await startSite({ bootstrap: [addressOf(relay)], services: { dht: noDht } })
    hearing.discovery.heard(closed.host.peerId)
    await until('it is connected', () => hearing.host.getConnections(closed.host.peerId).length > 0, hearing.host)
    const [connection] = hearing.host.getConnections(closed.host.peerId)
    expect(connection?.remoteAddr.toString()).to.include(`${relay.host.peerId.toString()}/p2p-circuit`)
  })

  it('begins where the document says, as it says now, and wants no hint once it is connected', async () => {
    const known = await startSite()
    let hints = ['/ip4/127.0.0.1/tcp/1']
    const site = await startSite({ hints: () => hints })
    const other = await startSite({ hints: () => [...hints, addressOf(known)] })
    await until('it says that nobody answers there', () => site.notices.list.length > 0, notifying(site))
    expect(site.notices.list[0]).to.contain('the address /ip4/127.0.0.1/tcp/1, which the federation\'s document names,')
    await until('the other is connected', () => knows(other, [known]), other.host)
    hints = [addressOf(known).replace(/\/p2p\/.*/, '')]
    await until('it is connected', () => knows(site, [known, other]), site.host)
    expect(site.notices.conditions.map(({ key }) => key)).to.deep.equal([])
    expect(other.notices.conditions.map(({ key }) => key)).to.deep.equal([])
  })

  /** Nobody can dial it: it listens nowhere but at its relays. */
  async function startClosed (bootstrap: string[]): Promise<Site> {
    const site = await startSite({ bootstrap, listen: [] })
    site.host.services.relays.begin({ isCertified: () => true, notices: site.notices, logger: createLogger('silent') })
    return site
  }

  const modeOf = ({ host }: Site): string => host.services.dht.getMode()

  it('closed sites find each other behind the one that others reach, which alone serves the DHT', async () => {
    const relay = await startSite({ relay: true })
    expect(modeOf(relay), 'nobody has reached it yet').to.equal('client')
    const closed = await Promise.all(['first', 'second'].map(async () => await startClosed([addressOf(relay)])))
    const [first, second] = closed as [Site, Site]
    await until('the first found the second', () => knows(first, [second]), notifying(first))
    await until('the second found the first', () => knows(second, [first]), notifying(second))
    expect([relay, ...closed].map(modeOf)).to.deep.equal(['server', 'client', 'client'])
  })

  it('tells those that it is connected to of its relays, signed, and beyond their connections others of it', async () => {
    const relay = await startSite({ relay: true })
    const others = await Promise.all([1, 2].map(async () => await startSite({ bootstrap: [addressOf(relay)] })))
    // It has as many as it seeks, and nobody can dial it.
    const full = await startSite({ bootstrap: [addressOf(relay), ...others.map(addressOf)], listen: [], mostConnections: 3 })
    await until('it has enough', () => knows(full, [relay, ...others]), notifying(full))
    const closed = await startClosed([addressOf(relay)])
    const heard = async (at: Site, isSigned: boolean): Promise<void> => {
      for (const end = Date.now() + 120_000; Date.now() < end; await sleep(50)) {
        const { addresses } = await at.host.peerStore.get(closed.host.peerId).catch(() => ({ addresses: [] }))
        if (addresses.some((each) => each.multiaddr.toString().includes('p2p-circuit') && (each.isCertified || !isSigned))) return
      }
      throw new Error('waited in vain for an address')
    }
    await heard(relay, true)
    await heard(full, false)
    // A question of the DHT may have connected them before.
    await others[0]!.stop()
    await until('it takes its place', () => full.host.getConnections(closed.host.peerId).length > 0, notifying(full))
  })

  it('finds a relay that nobody told it of', async () => {
    const told = await startSite()
    const relay = await startSite({ bootstrap: [addressOf(told)], relay: true })
    const closed = await startSite({ bootstrap: [addressOf(told)] })
    closed.host.services.relays.begin({ isCertified: () => true, notices: closed.notices, logger: createLogger('silent') })
    await until('it has a place', () => closed.host.services.relays.relays.includes(relay.host.peerId.toString()), notifying(closed))
  })

  it('loses no address when whoever writes something else about a peer gives up meanwhile', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    folders.push(folder)
    const { host: { peerStore } } = await startSite({ folder })
    const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    await peerStore.merge(peer, { multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/1')] })
    const givingUp = new AbortController()
    // As the DHT does with its tags when it stops.
    const merged = peerStore.merge(peer, { tags: { bucket: { value: 1 } } }, { signal: givingUp.signal })
    givingUp.abort()
    await merged.catch(() => {})
    expect((await peerStore.get(peer)).addresses.map((each) => each.multiaddr.toString())).to.deep.equal(['/ip4/127.0.0.1/tcp/1'])
  })

  it('says once that a bootstrap address does not answer, and connects when it comes up', async () => {
    const key = await generateKeyPair('Ed25519')
    const gone = await startSite({ key })
    const address = addressOf(gone)
    await gone.stop()
    const site = await startSite({ bootstrap: [address] })
    await until('the failed dial was said', () => site.notices.list.length > 0, notifying(site))
    expect(site.notices.list).to.have.length(1)
    expect(site.notices.list[0]).to.contain(address).and.contain('does not answer')
    const port = Number(/tcp\/(\d+)/.exec(address)![1])
    const host = await createHost({
      key,
      federationId: FEDERATION,
      listen: [`/ip4/127.0.0.1/tcp/${port}`],
      limits: new PeerLimits({ onBan: () => {} }),
      encrypter: keyedNoise({ federationId: FEDERATION, networkKey: KEY, onRefused: () => {} }),
      services: {}
    })
    try {
      await until('the late bootstrap node is connected', () => site.host.getPeers().length > 0, site.host)
    } finally {
      await host.stop()
    }
  })

  it('refuses a wrong network key inside the handshake, counted on both sides', async () => {
    const member = await startSite()
    const stranger = await startSite({ bootstrap: [addressOf(member)], networkKey: Buffer.alloc(32, 8) })
    await until('both sides counted the refusal', () => stranger.refusals.length > 1 && member.refusals.length > 1, notifying(stranger))
    expect(stranger.refusals[0]).to.deep.equal({ direction: 'outbound', cause: 'KEY', peer: member.host.peerId.toString() })
    expect(member.refusals[0]).to.deep.equal({ direction: 'inbound', cause: 'KEY', peer: '127.0.0.1' })
    expect(member.host.getPeers()).to.be.empty
    expect(stranger.host.getPeers()).to.be.empty
  })

  it('names an occupied address in one sentence', async () => {
    const site = await startSite()
    const listen = addressOf(site).replace(/\/p2p\/.*/, '')
    const error = await createHost({
      key: await generateKeyPair('Ed25519'),
      federationId: FEDERATION,
      listen: [listen],
      limits: new PeerLimits({ onBan: () => {} }),
      encrypter: keyedNoise({ federationId: FEDERATION, networkKey: KEY, onRefused: () => {} }),
      services: {}
    }).then(() => { throw new Error('it listened') }, (reason: Error) => reason)
    expect(error.name).to.equal('InputError')
    expect(error.message).to.match(/^the address 127\.0\.0\.1:\d+ is occupied/)
  })

  it('refuses a home in which another daemon runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    folders.push(folder)
    await startSite({ folder })
    const error = await openPeerBook(folder, '/home/site').then(() => { throw new Error('it opened') }, (reason: Error) => reason)
    expect(error.message).to.equal('another daemon is running in /home/site: stop it or choose another --home')
  })
})

/** A refused dial raises no event: look again at every turn of a short interval. */
function notifying (site: Site): EventTarget {
  const target = new EventTarget()
  const timer = setInterval(() => {
    target.dispatchEvent(new Event('peer:connect'))
    if (site.host.status === 'stopped') clearInterval(timer)
  }, 20)
  return target
}
