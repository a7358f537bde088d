import { yamux } from '@chainsafe/libp2p-yamux'
import { identify, type Identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import { kadDHT, passthroughMapper, type KadDHT } from '@libp2p/kad-dht'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Datastore } from 'interface-datastore'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { InputError } from '../../errors.ts'
import type { EncrypterFactory } from './encrypter.ts'

interface HostServices extends ServiceMap {
  identify: Identify
  ping: Ping
  dht: KadDHT
}

export type Host<T extends ServiceMap = ServiceMap> = Libp2p<HostServices & T>

export interface HostInit<T extends ServiceMap> {
  readonly key: PrivateKey
  readonly federationId: string
  readonly listen: readonly string[]
  readonly encrypter: EncrypterFactory
  /** Keeps known peers over restarts; in memory when missing. */
  readonly datastore?: Datastore
  readonly services: ServiceFactoryMap<T>
}

const DAY_MS = 86_400_000
// A hospital that was away for a month should still find the others where they were.
const PEER_MEMORY_MS = 90 * DAY_MS
// Many sites of one federation may come from one address: a hospital network behind NAT, or loopback.
const INBOUND_PER_SECOND = 100
const PENDING_INBOUND = 64

/** The libp2p node of one site, started. @throws InputError when an address cannot be listened on. */
export async function createHost<T extends ServiceMap> (init: HostInit<T>): Promise<Host<T>> {
  const base: ServiceFactoryMap<HostServices> = {
    identify: identify(),
    ping: ping(),
    dht: kadDHT({
      protocol: `/consilium/${init.federationId}/kad/1.0.0`,
      // Hospitals meet over private addresses; the DHT keeps those only with both of these.
      peerInfoMapper: passthroughMapper,
      clientMode: false
    })
  }
  const host = await createLibp2p({
    start: false,
    nodeInfo: { name: 'consilium', version: '0.1.0', userAgent: 'consilium/0.1.0' },
    privateKey: init.key,
    addresses: { listen: [...init.listen], announceFilter: (addresses) => addresses.filter(isDialable) },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [init.encrypter],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: INBOUND_PER_SECOND, maxIncomingPendingConnections: PENDING_INBOUND },
    peerStore: { maxAddressAge: PEER_MEMORY_MS, maxPeerAge: PEER_MEMORY_MS },
    ...(init.datastore == null ? {} : { datastore: init.datastore }),
    services: { ...base, ...init.services } as ServiceFactoryMap<HostServices & T>
  })
  try {
    await host.start()
  } catch (error) {
    await host.stop()
    throw explained(error, init.listen)
  }
  return host
}

function isDialable (address: Multiaddr): boolean {
  const first = address.getComponents()[0]?.value
  return first !== '0.0.0.0' && first !== '::'
}

function explained (error: unknown, listen: readonly string[]): unknown {
  const message = error instanceof Error ? error.message : ''
  const occupied = /EADDRINUSE[^\n]*?([0-9a-f.:]+:\d+)/.exec(message)
  if (occupied != null) return new InputError(`the address ${occupied[1]} is occupied: stop the program that listens there or choose another with --listen`)
  if ((error as Error | null)?.name === 'UnsupportedListenAddressesError') return new InputError(`cannot listen on ${listen.join(', ')}: give addresses of this machine with --listen, such as /ip4/0.0.0.0/tcp/4001`)
  return error
}
