import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { AbortOptions, Peer, PeerId, PeerInfo, PeerUpdate } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Doubling } from '../../common/doubling.ts'
import { messageOf } from '../../common/message-of.ts'
import { protocolId } from '../../protocol/versions.ts'
import type { Logger } from '../../rounds/logger.ts'
import type { Notices } from '../../rounds/notices.ts'
import { federationCid } from './dht.ts'
import { DialSchedule, longestPauseMs } from './dial-schedule.ts'
import type { Host } from './host.ts'
import { peerIn, withPeer } from './reach/dial-rules.ts'
import { dialWords } from './reach/dial-words.ts'

export interface DiscoveryTimes {
  readonly tickMs: number
  readonly dialMs: number
  readonly queryMs: number
  /** Between lookups while nothing changes. */
  readonly lookupMs: number
  readonly bootstrap: Doubling
  readonly known: Doubling
}

const DEFAULT_TIMES: DiscoveryTimes = {
  tickMs: 500,
  dialMs: 30_000,
  queryMs: 10_000,
  lookupMs: 30_000,
  bootstrap: { firstMs: 1_000, lastMs: 60_000 },
  known: { firstMs: 1_000, lastMs: 300_000 }
}

// Ticks between looks into the peer store; what a lookup finds is taken up at once.
const READ_EVERY = 10

// Enough for any gossip; a site that met 500 others need not stay connected to all.
const MOST_CONNECTIONS = 64

/** Sites whose addresses are kept; whoever answers queries of the DHT could name any number. */
const MOST_KNOWN = 1024

/** Relays that are asked for a peer which did not say where it is. */
const MOST_RELAYS = 4

/** Told to this site, named by the federation's document, or met. */
type Origin = 'told' | 'hint' | 'met'

interface Target {
  readonly address: PeerId | Multiaddr
  readonly schedule: DialSchedule
  readonly origin: Origin
  dialling: boolean
}

export interface DiscoveryInit {
  readonly host: Host
  readonly federationId: string
  readonly bootstrap: readonly string[]
  /** What the federation's document names now. */
  readonly hints?: () => readonly string[]
  readonly logger: Logger
  readonly notices: Notices
  readonly times?: Partial<DiscoveryTimes>
  /** Connections beyond which no site is dialled that nobody named; 64 by default. */
  readonly mostConnections?: number
}

/**
 * Keeps a site connected: dials bootstrap addresses and every known peer again and again with back-off, provides the
 * federation's record on the DHT and looks for others by provider records and random walks (docs/spec/network.md#discovery).
 */
export class Discovery {
  readonly #init: DiscoveryInit
  readonly #times: DiscoveryTimes
  readonly #targets = new Map<string, Target>()
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #lookup: Promise<void> | undefined
  #lookupDueAt = 0
  #ticks = 0
  #ticking: Promise<void> = Promise.resolve()

  constructor (init: DiscoveryInit) {
    this.#init = init
    this.#times = { ...DEFAULT_TIMES, ...init.times }
    setMaxListeners(Infinity, this.#stop.signal)
    for (const address of init.bootstrap) this.#addTarget(address, multiaddr(address), 'told')
  }

  start (): void {
    this.#init.host.addEventListener('peer:connect', this.#lookSoon)
    this.#init.host.addEventListener('peer:update', this.#onUpdate)
    this.#schedule(0)
  }

  async stop (): Promise<void> {
    this.#init.host.removeEventListener('peer:connect', this.#lookSoon)
    this.#init.host.removeEventListener('peer:update', this.#onUpdate)
    this.#stop.abort()
    clearTimeout(this.#timer)
    await Promise.allSettled([this.#ticking, this.#lookup])
  }

  /** Somebody is a member, whether or not anybody said where it is. */
  heard (peer: PeerId): void {
    if (!peer.equals(this.#init.host.peerId)) this.#addTarget(peer.toString(), peer, 'met')
  }

  readonly #lookSoon = (): void => {
    // Whoever just came may know others; a short pause lets identify finish and joins bursts.
    this.#lookupDueAt = Math.min(this.#lookupDueAt, Date.now() + 2 * this.#times.tickMs)
  }

  /** Whoever serves the DHT from now on is the first to ask, where nobody else does. */
  readonly #onUpdate = ({ detail: { peer, previous } }: CustomEvent<PeerUpdate>): void => {
    const kad = protocolId(this.#init.federationId, 'kad')
    if (peer.protocols.includes(kad) && previous?.protocols.includes(kad) !== true) this.#lookSoon()
  }

  #schedule (delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#ticking = this.#tick()
        .catch((error: unknown) => { this.#init.logger.debug({ error }, 'discovery stumbled') })
        .finally(() => { if (!this.#stop.signal.aborted) this.#schedule(this.#times.tickMs) })
    }, delayMs)
  }

  async #tick (): Promise<void> {
    const { host } = this.#init
    if (this.#ticks++ % READ_EVERY === 0) {
      this.#takeUpHints()
      await this.#readPeerStore()
    }
    const now = Date.now()
    for (const [name, target] of this.#targets) {
      if (this.#isFine(target)) this.#sayFine(name, target)
      if (this.#wantsDial(target, now)) {
        this.#dial(name, target).catch((error: unknown) => {
          this.#init.logger.debug({ error }, 'a dial stumbled')
        })
      }
    }
    if (this.#lookup == null && now >= this.#lookupDueAt && host.getPeers().length > 0) {
      this.#lookupDueAt = now + this.#times.lookupMs
      this.#lookup = this.#look().finally(() => { this.#lookup = undefined })
    }
  }

  #takeUpHints (): void {
    const hints = new Set(this.#init.hints?.())
    for (const address of hints) this.#addTarget(address, multiaddr(address), 'hint')
    for (const [name, target] of this.#targets) {
      if (target.origin !== 'hint' || hints.has(name)) continue
      this.#targets.delete(name)
      this.#init.notices.over(`bootstrap ${name}`, `the federation's document names ${name} no more`)
    }
  }

  async #readPeerStore (): Promise<void> {
    const { host } = this.#init
    const peers = await host.peerStore.all({ signal: this.#stop.signal })
    for (const { id } of this.#surplus(peers)) {
      await host.peerStore.delete(id, { signal: this.#stop.signal })
      this.#targets.delete(id.toString())
    }
    for (const peer of peers) {
      if (!peer.id.equals(host.peerId) && peer.addresses.length > 0) this.#addTarget(peer.id.toString(), peer.id, 'met')
    }
  }

  /** Of more than MOST_KNOWN those that are not connected and failed most often. */
  #surplus (peers: readonly Peer[]): readonly Peer[] {
    const { host } = this.#init
    const failures = ({ id }: Peer): number => this.#targets.get(id.toString())?.schedule.failures ?? 0
    const absent = peers.filter(({ id }) => !id.equals(host.peerId) && host.getConnections(id).length === 0)
    return absent.sort((a, b) => failures(b) - failures(a)).slice(0, Math.max(0, peers.length - MOST_KNOWN))
  }

  #wantsDial (target: Target, now: number): boolean {
    if (target.dialling || !target.schedule.isDue(now) || this.#isConnected(target)) return false
    return target.origin !== 'met' || this.#init.host.getPeers().length < (this.#init.mostConnections ?? MOST_CONNECTIONS)
  }

  #addTarget (name: string, address: PeerId | Multiaddr, origin: Origin): void {
    if (this.#targets.has(name) || (origin === 'met' && this.#targets.size >= MOST_KNOWN)) return
    this.#targets.set(name, {
      address,
      origin,
      dialling: false,
      schedule: new DialSchedule(origin === 'met' ? this.#times.known : this.#times.bootstrap)
    })
  }

  #isConnected ({ address }: Target): boolean {
    const id = 'getComponents' in address ? peerIn(address) : address
    const isThere = (other: Multiaddr): boolean => `${other.toString()}/`.startsWith(`${address.toString()}/`)
    return id == null
      ? this.#init.host.getMultiaddrs().some(isThere) ||
        this.#init.host.getConnections().some(({ remoteAddr, direction }) => direction === 'outbound' && isThere(remoteAddr))
      : id.equals(this.#init.host.peerId) || this.#init.host.getConnections(id).length > 0
  }

  async #dial (name: string, target: Target): Promise<void> {
    target.dialling = true
    try {
      const { address } = target
      const ways = 'getComponents' in address ? address : await this.#waysTo(address)
      await this.#init.host.dial(ways, this.#within(this.#times.dialMs))
      target.schedule.succeeded()
      if (target.origin !== 'met') this.#sayFine(name, target)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      target.schedule.failed(Date.now(), target.origin === 'met' ? this.#longestPauseMs() : undefined)
      this.#sayUnanswered(name, target, error)
    } finally {
      target.dialling = false
    }
  }

  #longestPauseMs (): number {
    const { bootstrap, known } = this.#times
    const absent = this.#targets.size - this.#init.host.getPeers().length
    return longestPauseMs(absent, { leastMs: Math.min(bootstrap.lastMs, known.lastMs), mostMs: known.lastMs })
  }

  /**
   * Where a peer says that it is, and through the relays of this site: a peer behind a firewall is often at the same ones, and which they
   * are is told to those alone that are connected to it.
   */
  async #waysTo (peer: PeerId): Promise<PeerId | Multiaddr[]> {
    const { host } = this.#init
    const { addresses } = await host.peerStore.get(peer).catch(() => ({ addresses: [] }))
    const relays = (await host.services.relays.willing()).slice(0, MOST_RELAYS).filter((relay) => !relay.equals(peer))
    const relayed = relays.map((relay) => multiaddr(`/p2p/${relay.toString()}/p2p-circuit`))
    const ways = [...addresses.map((each) => each.multiaddr), ...relayed].map((each) => withPeer(each, peer))
    return ways.length === 0 ? peer : ways
  }

  /** Whoever is connected to others needs no hint. */
  #isFine (target: Target): boolean {
    const isAlone = this.#init.host.getPeers().length === 0
    return target.origin !== 'met' && (this.#isConnected(target) || (target.origin === 'hint' && !isAlone))
  }

  #sayFine (name: string, { origin }: Target): void {
    const words = origin === 'hint' ? 'this site is connected to others again' : `the bootstrap address ${name} answers again`
    this.#init.notices.over(`bootstrap ${name}`, words)
  }

  #sayUnanswered (name: string, target: Target, error: unknown): void {
    const { origin, schedule } = target
    const reason = error instanceof Error ? error.name : String(error)
    this.#init.logger.debug({ peer: name, failures: schedule.failures, reason }, 'a dial failed')
    if (origin !== 'met' && !this.#isFine(target)) {
      const what = origin === 'hint' ? `the address ${name}, which the federation's document names,` : `the bootstrap address ${name}`
      this.#init.notices.warn(
        `bootstrap ${name}`,
        `${what} ${dialWords(error)}: it is tried again with growing pauses, and training goes on meanwhile`
      )
    }
  }

  /** Provider record, whoever else provides it, and one random walk. */
  async #look (): Promise<void> {
    const { host, federationId, logger } = this.#init
    const cid = federationCid(federationId)
    const { dht } = host.services
    const steps = [
      async () => {
        await drain(dht.provide(cid, this.#within(this.#times.queryMs)))
      },
      async () => {
        for await (const event of dht.findProviders(cid, this.#within(this.#times.queryMs))) {
          if (event.name === 'PROVIDER') await this.#learn(event.providers)
        }
      },
      async () => {
        for await (const event of dht.getClosestPeers(randomBytes(32), this.#within(this.#times.queryMs))) {
          if (event.name === 'FINAL_PEER') await this.#learn([event.peer])
        }
      }
    ]
    for (const step of steps) {
      await step().catch((error: unknown) => {
        logger.debug({ reason: messageOf(error) }, 'a DHT query failed')
      })
      if (this.#stop.signal.aborted) return
    }
  }

  async #learn (peers: readonly PeerInfo[]): Promise<void> {
    const { host } = this.#init
    for (const { id, multiaddrs } of peers) {
      // Whoever is connected has said itself where it is; others may say where it was.
      if (id.equals(host.peerId) || multiaddrs.length === 0 || host.getConnections(id).length > 0) continue
      await host.peerStore.merge(id, { multiaddrs: [...multiaddrs] }, { signal: this.#stop.signal })
      this.#addTarget(id.toString(), id, 'met')
    }
  }

  #within (ms: number): Required<AbortOptions> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ms)])
    setMaxListeners(Infinity, signal)
    return { signal }
  }
}

async function drain (source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source) { /* only its end matters */ }
}
