import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { LRUCache } from 'lru-cache'
import { RateLimit } from '../../../common/rate-limit.ts'
import type { Offences } from './offences.ts'

/** Handshakes that one remote address may start. Many sites may stand behind one: a hospital's NAT, or loopback. */
export const HANDSHAKES = { perSecond: 20, burst: 100 } as const
/** The same for an address from which a banned peer, or many failed handshakes, came in the last minutes. */
export const SUSPECT_HANDSHAKES = { perSecond: 2, burst: 4 } as const
/** Connections that one peer may open. */
export const CONNECTS = { perSecond: 1, burst: 10 } as const
/** Simultaneous connections of one peer; two arise when both sides dial at once. */
export const MAX_PER_PEER = 4

const SUSPECT_MS = 600_000
const MOST = 1024
/** Failed handshakes forgiven per second, and how many make an address suspect. */
const FAILURES = { perSecond: 0.2, burst: 20 }

interface GaterInit {
  readonly offences: Offences
  /** Milliseconds, never going back. */
  readonly now: () => number
  readonly connectionsOf: (peer: PeerId) => number
}

/** Decides who may connect, before anything is spent on them: by address before the handshake, by peer after it. */
export class ConnectionLimits {
  readonly #init: GaterInit
  readonly #handshakes: RateLimit
  readonly #suspectHandshakes: RateLimit
  readonly #connects: RateLimit
  readonly #failures: RateLimit
  /** Until when an address is suspect. */
  readonly #suspects = new LRUCache<string, number>({ max: MOST })

  constructor (init: GaterInit) {
    const { now } = init
    this.#init = init
    this.#handshakes = new RateLimit({ ...HANDSHAKES, now })
    this.#suspectHandshakes = new RateLimit({ ...SUSPECT_HANDSHAKES, now })
    this.#connects = new RateLimit({ ...CONNECTS, now })
    this.#failures = new RateLimit({ ...FAILURES, now })
  }

  readonly hooks: ConnectionGater = {
    denyDialPeer: (peer) => this.#init.offences.isBanned(peer.toString()),
    denyInboundConnection: (connection) => {
      const host = hostOf(connection)
      return (this.#isSuspect(host) ? this.#suspectHandshakes : this.#handshakes).take(host) > 0
    },
    denyInboundEncryptedConnection: (peer, connection) => this.#denies(peer, connection),
    denyOutboundEncryptedConnection: (peer) => this.#init.offences.isBanned(peer.toString())
  }

  /** A handshake from this address failed: it has no or another network key. */
  failed (host: string): void {
    if (this.#failures.take(host) > 0) this.#suspect(host)
  }

  #denies (peer: PeerId, connection: MultiaddrConnection): boolean {
    const { offences, connectionsOf } = this.#init
    const id = peer.toString()
    if (offences.isBanned(id)) {
      this.#suspect(hostOf(connection))
      return true
    }
    if (this.#connects.take(id) > 0) {
      offences.add(id, 10, 'connects again and again')
      return true
    }
    return connectionsOf(peer) >= MAX_PER_PEER
  }

  #suspect (host: string): void {
    this.#suspects.set(host, this.#init.now() + SUSPECT_MS)
  }

  #isSuspect (host: string): boolean {
    return this.#init.now() < (this.#suspects.peek(host) ?? -Infinity)
  }
}

/** Without the port, which differs at every attempt; of an IPv6 address the network of 64 bits, all of which one machine may own. */
export function hostOf ({ remoteAddr }: Pick<MultiaddrConnection, 'remoteAddr'>): string {
  const parts = remoteAddr.getComponents()
  // Behind a relay there are many: each is counted by itself.
  if (parts.some(({ name }) => name === 'p2p-circuit')) return `relayed ${parts.findLast(({ name }) => name === 'p2p')?.value}`
  const [first] = parts
  const value = first?.value ?? 'an unknown address'
  if (first?.name !== 'ip6') return value
  const [left = [], right = []] = value.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}
