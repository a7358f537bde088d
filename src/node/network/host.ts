import { yamux } from '@chainsafe/libp2p-yamux'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify, identifyPush, type Identify, type IdentifyPush } from '@libp2p/identify'
import type { ComponentLogger, Libp2p, Metrics, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { ping, type Ping } from '@libp2p/ping'
import type { Datastore } from 'interface-datastore'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { SOFTWARE } from '../../common/software.ts'
import { InputError } from '../../errors.ts'
import { federationDht } from './dht.ts'
import type { KeyedNoise } from './keyed-noise.ts'
import type { PeerLimits } from './limits/peer-limits.ts'
import { MAX_STREAMS } from './limits/traffic-limits.ts'
import type { Members } from './members.ts'
import { agentOf } from './peer-versions.ts'
import { announceable } from './reach/announceable.ts'
import { DhtMode, type DhtModeComponents } from './reach/dht-mode.ts'
import { DialOrder } from './reach/dial-order.ts'
import { DialRules } from './reach/dial-rules.ts'
import { OutboundProxy } from './reach/outbound-proxy.ts'
import { OwnAddresses, type OwnAddressesComponents } from './reach/own-addresses.ts'
import { RelayKeeper, type RelayKeeperComponents } from './reach/relay-keeper.ts'
import { transports, type Tls } from './reach/transports.ts'

interface HostServices extends ServiceMap {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  dht: KadDHT
  own: OwnAddresses
  dhtMode: DhtMode
  relays: RelayKeeper
}

export type Host<T extends ServiceMap = ServiceMap> = Libp2p<HostServices & T>

export interface HostInit<T extends ServiceMap> {
  readonly key: PrivateKey
  readonly federationId: string
  readonly listen: readonly string[]
  /** In place of the addresses that the machine has. */
  readonly announce?: readonly string[] | undefined
  /** Addresses of others that a person gave: dialled whatever they are. */
  readonly given?: readonly string[]
  /** URL of the proxy that connections go out through. */
  readonly proxy?: string | undefined
  /** Addresses of the reverse proxies in front of this site. */
  readonly reverseProxy?: readonly string[] | undefined
  /** For addresses with /tls/ws. */
  readonly tls?: Tls | undefined
  /** Passes connections on between members. */
  readonly relay?: boolean | undefined
  readonly encrypter: KeyedNoise
  readonly limits: PeerLimits
  /** Gates every service but identify, ping and membership; without it (in tests of single parts) whoever holds the key is let in. */
  readonly members?: Members
  /** Keeps known peers over restarts; in memory when missing. */
  readonly datastore?: Datastore
  /** Counts libp2p's own connections, streams and bytes. */
  readonly metrics?: (components: { logger: ComponentLogger }) => Metrics
  /** Of the software; what the others hear first. */
  readonly version?: string
  readonly services: ServiceFactoryMap<T>
}

/** What a peer may open before it is certified. */
const OPEN_TO_ALL = new Set(['identify', 'identifyPush', 'ping', 'membership', 'own', 'relays', 'dhtMode'])
const DAY_MS = 86_400_000
// A hospital that was away for a month should still find the others where they were.
const PEER_MEMORY_MS = 90 * DAY_MS
// The guard limits addresses more closely; this only spares it the first look.
const INBOUND_PER_SECOND = 100
const PENDING_INBOUND = 64
/** Inbound and outbound together; the connection manager closes the least useful beyond. */
const MAX_CONNECTIONS = 256
const MAX_DIALS_WAITING = 128
// A peer that lists a hundred addresses does not make this site dial them all.
const MAX_ADDRESSES_DIALLED = 8
// A firewall that swallows the first addresses leaves time for the relay, which comes last.
const ADDRESS_MS = 6_000
const DIAL_MS = 30_000
// In place of the protocol's limits (128 KiB in two minutes) members have budgets of their own: limits/traffic-limits.ts.
const RELAY = {
  reservations: { applyDefaultLimit: false, maxReservations: 256 },
  maxInboundHopStreams: 64,
  maxOutboundHopStreams: 64,
  maxOutboundStopStreams: 64
}
// A ping or a new stream waits behind whatever of an adapter is on its way: megabytes, on a line that may do 1 Mbit/s. libp2p's own 2
// and 10 s would cut exchanges off.
const PING_MS = 60_000
const HEARTBEAT_MS = 10_000
// Heartbeats that wait for their answers side by side. libp2p's own limit is one, and whoever is over it loses the connection: a busy
// site would lose all of them.
const MOST_PINGS = PING_MS / HEARTBEAT_MS + 2

/** The libp2p node of one site, started. @throws InputError when an address cannot be listened on. */
export async function createHost<T extends ServiceMap> (init: HostInit<T>): Promise<Host<T>> {
  const { version = SOFTWARE, announce = [], given = [] } = init
  const base = baseServices(init, () => host.services.dht)
  const order = new DialOrder()
  const rules = new DialRules(given, () => host.services.own.listening)
  const host: Host<T> = await createLibp2p({
    start: false,
    nodeInfo: { name: 'consilium', version, userAgent: agentOf(version) },
    privateKey: init.key,
    addresses: {
      listen: [...init.listen],
      appendAnnounce: [...announce],
      announceFilter: (addresses) => announceable(addresses, announce)
    },
    transports: transports({
      proxy: new OutboundProxy(init.proxy),
      tls: init.tls,
      order,
      reverseProxies: init.reverseProxy ?? [],
      certified: (components) => init.members?.certifiedOnly.components(components) ?? components
    }) as never,
    connectionEncrypters: init.encrypter.factories(init.limits.encrypter),
    streamMuxers: [() => init.limits.muxer(yamux({ maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS })())],
    connectionGater: { ...(init.members ?? init.limits).connectionGater, denyDialMultiaddr: rules.deniesDial },
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      inboundConnectionThreshold: INBOUND_PER_SECOND,
      maxIncomingPendingConnections: PENDING_INBOUND,
      maxDialQueueLength: MAX_DIALS_WAITING,
      maxPeerAddrsToDial: MAX_ADDRESSES_DIALLED,
      addressSorter: order.compare,
      addressDialTimeout: ADDRESS_MS,
      dialTimeout: DIAL_MS,
      inboundStreamProtocolNegotiationTimeout: PING_MS,
      outboundStreamProtocolNegotiationTimeout: PING_MS
    },
    connectionMonitor: { pingInterval: HEARTBEAT_MS, pingTimeout: { minTimeout: PING_MS, maxTimeout: PING_MS } },
    peerStore: { maxAddressAge: PEER_MEMORY_MS, maxPeerAge: PEER_MEMORY_MS },
    ...(init.datastore == null ? {} : { datastore: init.datastore }),
    ...(init.metrics == null ? {} : { metrics: init.metrics }),
    services: gated({ ...base, ...init.services } as ServiceFactoryMap<HostServices & T>, init.members)
  })
  init.limits.attach(host)
  rules.attach(host)
  try {
    await host.start()
  } catch (error) {
    await host.stop()
    throw explained(error, init.listen)
  }
  return host
}

/** What every host has; `dht` is its own, once it is there. */
function baseServices<T extends ServiceMap> (
  { federationId, members, relay }: HostInit<T>,
  dht: () => KadDHT
): ServiceFactoryMap<HostServices> {
  return {
    identify: identify(),
    identifyPush: identifyPush({ runOnLimitedConnection: true }),
    ping: ping({ timeout: PING_MS, maxInboundStreams: MOST_PINGS, maxOutboundStreams: MOST_PINGS }),
    dht: federationDht(federationId),
    own: (components: OwnAddressesComponents) => new OwnAddresses(components),
    dhtMode: (components: DhtModeComponents) => new DhtMode(components, {
      dht,
      isMember: (peer) => members?.admissions.isEstablished(peer) ?? true
    }),
    relays: (components: RelayKeeperComponents) => new RelayKeeper(components),
    ...(relay === true ? { relay: circuitRelayServer(RELAY) } : {})
  }
}

function gated<T extends ServiceMap> (services: ServiceFactoryMap<T>, members: Members | undefined): ServiceFactoryMap<T> {
  if (members == null) return services
  const entries = Object.entries(services as Record<string, (components: object) => unknown>)
  return Object.fromEntries(
    entries.map(([name, create]) => [
      name,
      OPEN_TO_ALL.has(name) ? create : (components: object) => create(members.certifiedOnly.components(components))
    ])
  ) as unknown as ServiceFactoryMap<T>
}

function explained (error: unknown, listen: readonly string[]): unknown {
  const message = error instanceof Error ? error.message : ''
  const occupied = /EADDRINUSE[^\n]*?([0-9a-f.:]+:\d+)/.exec(message)
  if (occupied != null) {
    return new InputError(`the address ${occupied[1]} is occupied: stop the program that listens there or choose another with --listen`)
  }
  if ((error as Error | null)?.name === 'UnsupportedListenAddressesError') {
    return new InputError(
      `cannot listen on ${listen.join(', ')}: give addresses of this machine with --listen, such as /ip4/0.0.0.0/tcp/4001`
    )
  }
  return error
}
