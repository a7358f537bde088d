import type { Connection, ConnectionEncrypter, ConnectionGater, Libp2p, StreamMuxerFactory } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ConnectionLimits } from './connection-limits.ts'
import { Offences } from './offences.ts'
import { TrafficLimits } from './traffic-limits.ts'

/** Told when a peer is cut off; `reason` completes "because it …". */
export type OnBan = (peer: string, reason: string, ms: number) => void

/** Points of an offence; at a hundred a peer is cut off, and five are forgiven every second. */
export const OFFENCE = { malformed: 25, stalled: 20, tooMany: 1 } as const

/** Everything that keeps one peer from taking more than its share: budgets per connection, offences, bans, limits on connecting. */
export class PeerLimits {
  readonly #offences: Offences
  readonly #traffic: TrafficLimits
  readonly #connections: ConnectionLimits
  readonly #rootOf: (peer: string) => string
  #host: Pick<Libp2p, 'getConnections'> | undefined

  /** `rootOf`: what a peer is counted by, so that another key of the same member has nothing of its own. */
  constructor (
    { onBan, now = () => performance.now(), rootOf = (peer) => peer }: {
      onBan: OnBan,
      now?: () => number,
      rootOf?: (peer: string) => string
    }
  ) {
    this.#rootOf = rootOf
    this.#offences = new Offences({
      now,
      rootOf,
      onBan: (peer, reason, ms) => {
        this.cutOff(peer, reason)
        onBan(peer, reason, ms)
      }
    })
    this.#traffic = new TrafficLimits(this.#offences, now, rootOf, (peer) => this.#isRelaying(peer))
    this.#connections = new ConnectionLimits({
      offences: this.#offences,
      now,
      connectionsOf: (
        peer
      ) => this.#host?.getConnections(peer).length ?? 0
    })
  }

  /** The host whose connections it closes. */
  attach (host: Pick<Libp2p, 'getConnections'>): void {
    this.#host = host
  }

  get encrypter (): (inner: ConnectionEncrypter) => ConnectionEncrypter {
    return this.#traffic.encrypter
  }

  get muxer (): (inner: StreamMuxerFactory) => StreamMuxerFactory {
    return this.#traffic.muxer
  }

  get connectionGater (): ConnectionGater {
    return this.#connections.hooks
  }

  /** Bytes passed on for others since the start. */
  get relayedBytes (): number {
    return this.#traffic.relayedBytes
  }

  #isRelaying (peer: string): boolean {
    return this.#host?.getConnections().some(({ remoteAddr }) => remoteAddr.toString().includes(`/p2p/${peer}/p2p-circuit`)) ?? false
  }

  /** Counts an offence; `reason` completes "cut off because it …". */
  offence (peer: string, points: number, reason: string): void {
    this.#offences.add(peer, points, reason)
  }

  handshakeFailed (host: string): void {
    this.#connections.failed(host)
  }

  /** Closes the connections of this peer, or another key of the same member; `reason` completes "cut off because it …". */
  cutOff (peer: string, reason: string): void {
    const isOfMember = ({ remotePeer }: Connection): boolean => this.#rootOf(remotePeer.toString()) === this.#rootOf(peer)
    const own = this.#host?.getConnections(peerIdFromString(peer)) ?? []
    const others = this.#host?.getConnections().filter(isOfMember) ?? []
    for (const connection of new Set([...own, ...others])) connection.abort(new Error(`cut off because it ${reason}`))
  }

  isBanned (peer: string): boolean {
    return this.#offences.isBanned(peer)
  }
}
