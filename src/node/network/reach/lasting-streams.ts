import type { Connection, PeerId, Topology } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { replacing } from '../certified-only.ts'

interface Components {
  readonly registrar: Registrar
  readonly connectionManager: Pick<ConnectionManager, 'getConnections'>
}

interface Met {
  readonly peer: PeerId
  readonly topologies: Set<Topology>
}

const LOOK_MS = 3_000

/**
 * Gossipsub opens its one stream to a peer when that comes, and no other when the stream ends while the peer is still connected: with the
 * connection that an address was lost with, for example. It is told of such peers again, which does nothing where its stream is there.
 */
export class LastingStreams {
  readonly #met = new Map<string, Met>()
  #timer: NodeJS.Timeout | undefined
  #connections: Components['connectionManager'] | undefined

  /** The same service, whose streams come back. */
  around<C extends object, S> (create: (components: C) => S): (components: C) => S {
    return (components) => {
      const { registrar, connectionManager } = components as unknown as Components
      this.#connections = connectionManager
      const register: Registrar['register'] = async (protocol, topology, options) =>
        await registrar.register(protocol, this.#noting(topology), options)
      return create(replacing(components, new Map([['registrar', replacing(registrar, new Map([['register', register]]))]])))
    }
  }

  start (): void {
    this.#timer = setInterval(() => { this.#look() }, LOOK_MS)
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  #noting (topology: Topology): Topology {
    return {
      ...topology,
      onConnect: async (peer, connection) => {
        const met = this.#met.get(peer.toString()) ?? { peer, topologies: new Set() }
        met.topologies.add(topology)
        this.#met.set(peer.toString(), met)
        await topology.onConnect?.(peer, connection)
      },
      onDisconnect: async (peer) => {
        this.#met.delete(peer.toString())
        await topology.onDisconnect?.(peer)
      }
    }
  }

  #look (): void {
    for (const { peer, topologies } of this.#met.values()) {
      const connection = newest(this.#connections?.getConnections(peer) ?? [])
      if (connection == null) continue
      for (const topology of topologies) Promise.resolve(topology.onConnect?.(peer, connection)).catch(() => { /* tried again */ })
    }
  }
}

/** It is the likeliest to lead somewhere. */
function newest (connections: readonly Connection[]): Connection | undefined {
  const open = connections.filter(({ status }) => status === 'open')
  return open.toSorted((a, b) => b.timeline.open - a.timeline.open)[0]
}
