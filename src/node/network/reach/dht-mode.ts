import type { Connection, PeerId, Startable } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { KadDHT } from '@libp2p/kad-dht'
import { isDirect } from './relay-keeper.ts'

export interface DhtModeComponents {
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
}

export interface DhtModeInit {
  readonly dht: () => Pick<KadDHT, 'getMode' | 'setMode'>
  readonly isMember: (peer: PeerId) => boolean
  /** Milliseconds, never going back. */
  readonly now?: () => number
}

const LOOK_MS = 500
/** So long after the last connection from outside a site counts as one that others reach. */
const REMEMBERED_MS = 3_600_000

/**
 * A site answers queries of the DHT while other members reach it: while one of them has dialled it without a relay, and for an hour after.
 * Whom nobody can dial asks only, so that the records of a federation lie where everybody can look them up.
 */
export class DhtMode implements Startable {
  readonly #components: DhtModeComponents
  readonly #init: DhtModeInit
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #reachedAt = -Infinity

  constructor (components: DhtModeComponents, init: DhtModeInit) {
    this.#components = components
    this.#init = init
    this.#now = init.now ?? (() => performance.now())
  }

  start (): void {
    this.#timer = setInterval(() => { this.look() }, LOOK_MS)
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  look (): void {
    if (this.#components.connectionManager.getConnections().some((each) => this.#isReached(each))) this.#reachedAt = this.#now()
    const mode = this.#now() - this.#reachedAt < REMEMBERED_MS ? 'server' : 'client'
    const dht = this.#init.dht()
    if (dht.getMode() !== mode) dht.setMode(mode).catch(() => { /* at the next look */ })
  }

  #isReached (connection: Connection): boolean {
    return connection.direction === 'inbound' && isDirect(connection) && this.#init.isMember(connection.remotePeer)
  }
}
