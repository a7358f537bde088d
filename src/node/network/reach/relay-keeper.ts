import type { Connection, PeerId, PeerStore } from '@libp2p/interface'
import type { AddressManager, ConnectionManager, TransportManager } from '@libp2p/interface-internal'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { Logger } from '../../../rounds/logger.ts'
import type { Notices } from '../../../rounds/notices.ts'
import { isRelayed } from './announceable.ts'

export interface RelayKeeperComponents {
  readonly peerStore: Pick<PeerStore, 'get'>
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
  readonly addressManager: Pick<AddressManager, 'getAddresses'>
  readonly transportManager: Pick<TransportManager, 'listen'>
}

export interface RelayKeeperInit {
  readonly isCertified: (peer: PeerId) => boolean
  readonly notices: Pick<Notices, 'warn' | 'over'>
  readonly logger: Logger
}

/** Spoken by whoever passes connections on. */
export const RELAYS = '/libp2p/circuit/relay/0.2.0/hop'
/** So many are kept, so that one may go. */
const WANTED = 2
const NO_RELAY = 'the last relay of this site is gone and no other member passes connections on: sites that it cannot dial, and that ' +
  'cannot dial it, are not reached until one does (--relay at a site that all can reach)'
const LOOK_MS = 2_000
const AGAIN_MS = 30_000

/** Reserves a place at two members that pass connections on, and at others when one goes: where others cannot, these can. */
export class RelayKeeper {
  readonly #components: RelayKeeperComponents
  readonly #notBefore = new Map<string, number>()
  #init: RelayKeeperInit | undefined
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #had = new Set<string>()

  constructor (components: RelayKeeperComponents) {
    this.#components = components
  }

  begin (init: RelayKeeperInit): void {
    this.#init = init
    this.#timer = setInterval(() => { this.#tick() }, LOOK_MS)
  }

  /** Before libp2p takes the transports down. */
  end (): void {
    clearInterval(this.#timer)
    this.#init = undefined
  }

  /** Peer ids of the relays that hold a place for this site. */
  get relays (): string[] {
    return [...new Set(this.#components.addressManager.getAddresses().filter(isRelayed).flatMap((each) => relayOf(each) ?? []))]
  }

  #tick (): void {
    if (this.#looking || this.#init == null) return
    this.#looking = true
    this.#look(this.#init).catch((error: unknown) => { this.#init?.logger.debug({ error }, 'looking for relays stumbled') })
      .finally(() => { this.#looking = false })
  }

  async #look (init: RelayKeeperInit): Promise<void> {
    const before = this.#had
    this.#had = new Set(this.relays)
    for (const relay of before) if (!this.#had.has(relay)) init.logger.info({ relay }, 'a relay is gone: another is looked for')
    for (const peer of await this.#candidates(init)) {
      if (this.#had.size >= WANTED) break
      await this.#reserve(peer, init)
    }
    if (before.size > 0 && this.#had.size === 0) {
      init.notices.warn('relays', NO_RELAY)
    } else if (this.#had.size > 0) init.notices.over('relays', 'this site has a relay again')
  }

  async #reserve (peer: PeerId, { logger }: RelayKeeperInit): Promise<void> {
    const id = peer.toString()
    this.#notBefore.set(id, Date.now() + AGAIN_MS)
    try {
      await this.#components.transportManager.listen([multiaddr(`/p2p/${id}/p2p-circuit`)])
      this.#had.add(id)
      logger.info({ relay: id }, 'this site can be reached through a relay')
    } catch (error) {
      logger.debug({ relay: id, error }, 'a relay has no place')
    }
  }

  /** Peers that pass connections on, connected without another that does. */
  async willing (): Promise<PeerId[]> {
    const direct = this.#components.connectionManager.getConnections().filter(isDirect)
    const peers = new Map(direct.map(({ remotePeer }) => [remotePeer.toString(), remotePeer]))
    const found: PeerId[] = []
    for (const peer of peers.values()) {
      const { protocols } = await this.#components.peerStore.get(peer).catch(() => ({ protocols: [] as string[] }))
      if (protocols.includes(RELAYS)) found.push(peer)
    }
    return found
  }

  async #candidates ({ isCertified }: RelayKeeperInit): Promise<PeerId[]> {
    return (await this.willing()).filter((peer) => {
      const id = peer.toString()
      return !this.#had.has(id) && (this.#notBefore.get(id) ?? 0) <= Date.now() && isCertified(peer)
    })
  }
}

/** Not through a relay. */
export function isDirect ({ remoteAddr, status }: Pick<Connection, 'remoteAddr' | 'status'>): boolean {
  return status === 'open' && !isRelayed(remoteAddr)
}

/** Who passes on what comes from, or goes to, this address. */
export function relayOf (address: Multiaddr): string | undefined {
  const parts = address.getComponents()
  const circuit = parts.findIndex(({ name }) => name === 'p2p-circuit')
  return parts.slice(0, Math.max(0, circuit)).findLast(({ name }) => name === 'p2p')?.value
}
