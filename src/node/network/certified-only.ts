import type { AbortOptions, Connection, PeerId, StreamHandler, Topology } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { ProtocolError } from '../../errors.ts'
import type { Admissions } from '../../protocol/membership/index.ts'

interface Components {
  readonly registrar: Registrar
  readonly connectionManager: ConnectionManager
}

/** Streams of one protocol that peers opened: handed on, and reset because their peer is not certified. */
export interface StreamCounts { handled: number, reset: number }

/**
 * Stands between libp2p and every service but membership, identify and ping: their handlers run for certified peers only, they hear of a
 * peer once both sides have accepted each other, and what they open waits for that.
 */
export class CertifiedOnly {
  readonly #admissions: Admissions
  readonly #onReset: (peer: PeerId, protocol: string) => void
  readonly #counts = new Map<string, StreamCounts>()

  constructor (admissions: Admissions, onReset: (peer: PeerId, protocol: string) => void) {
    this.#admissions = admissions
    this.#onReset = onReset
  }

  /** By protocol. */
  get streams (): Record<string, StreamCounts> {
    return Object.fromEntries([...this.#counts].map(([protocol, counts]) => [protocol, { ...counts }]))
  }

  /** The same components, seen through the gate. */
  components<T extends object> (components: T): T {
    const { registrar, connectionManager } = components as Components
    const gated = new Map<string | symbol, unknown>([['registrar', this.#registrar(registrar)], [
      'connectionManager',
      this.#connectionManager(connectionManager)
    ]])
    return replacing(components, gated)
  }

  #registrar (inner: Registrar): Registrar {
    const handle: Registrar['handle'] = async (protocol, handler, options) => {
      await inner.handle(protocol, this.#guarded(protocol, handler), options)
    }
    const register: Registrar['register'] = async (protocol, topology, options) =>
      await inner.register(protocol, this.#patient(topology), options)
    return replacing(inner, new Map<string | symbol, unknown>([['handle', handle], ['register', register]]))
  }

  #connectionManager (inner: ConnectionManager): ConnectionManager {
    const openStream: ConnectionManager['openStream'] = async (peer, protocols, options) => {
      const connection = await inner.openConnection(peer, options)
      await this.#ready(connection, options)
      return await inner.openStream(peer, protocols, options)
    }
    return replacing(inner, new Map<string | symbol, unknown>([['openStream', openStream]]))
  }

  #guarded (protocol: string, handler: StreamHandler): StreamHandler {
    const counts = { handled: 0, reset: 0 }
    this.#counts.set(protocol, counts)
    return (stream, connection) => {
      if (this.#admissions.admits(connection.remotePeer)) {
        counts.handled++
        return handler(stream, connection)
      }
      counts.reset++
      stream.abort(new ProtocolError('no certificate'))
      this.#onReset(connection.remotePeer, protocol)
    }
  }

  #patient (topology: Topology): Topology {
    const onConnect = (peer: PeerId, connection: Connection): void => {
      this.#ready(connection).then(async () => {
        await topology.onConnect?.(peer, connection)
      }).catch(() => { /* it is gone, or no member */ })
    }
    return replacing(topology, new Map<string | symbol, unknown>([['onConnect', onConnect]]))
  }

  async #ready (connection: Connection, options: AbortOptions = {}): Promise<void> {
    if (!this.#admissions.isEstablished(connection.remotePeer)) await this.#admissions.whenEstablished(connection, options)
  }
}

/** The same object with some members replaced; its other methods keep their `this`. */
export function replacing<T extends object> (inner: T, members: ReadonlyMap<string | symbol, unknown>): T {
  return new Proxy(inner, {
    get: (target, name) => {
      if (members.has(name)) return members.get(name)
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    }
  })
}
