import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { createSchema, type Schema } from '../../../src/adapter/schema.ts'
import type { AveragerSettings } from '../../../src/gossip-aggregation/averager-types.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { adapterExchange, type AdapterExchange, type AdapterExchangeEvents } from '../../../src/protocol/adapter-exchange/index.ts'
import type { Limits } from '../../../src/protocol/adapter-exchange/limits.ts'
import { announce, type Announce } from '../../../src/protocol/announce/index.ts'
import { PublicationService, type PublicationComponents } from '../../../src/protocol/publication/publication.ts'
import type { PublicationPort } from '../../../src/protocol/publication/talk.ts'

const FEDERATION = 'f'.repeat(64)
const SETTINGS: AveragerSettings = { codec: 'f32', maxMass: 1000, clipRadius: 1e6, normBound: 1e6, staleness: 3 }

export function vectorSchema (size: number): Schema {
  return createSchema({ model: 'test', baseHash: 'a'.repeat(64), tensors: [{ name: 'x', shape: [size], role: 'lora' }] })
}

export interface ProtocolSite {
  readonly node: Libp2p<{ exchange: AdapterExchange }>
  readonly averager: Averager
  readonly service: AdapterExchange
}

const running: Libp2p<never>[] = []

async function startNode<T extends ServiceMap> (services: Libp2pOptions<T>['services'], privateKey?: PrivateKey): Promise<Libp2p<T>> {
  const node = await createLibp2p({
    ...(privateKey == null ? {} : { privateKey }),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // A pong waits behind bulk bytes.
    connectionMonitor: { pingTimeout: { minTimeout: 60_000 } },
    ...(services == null ? {} : { services })
  })
  running.push(node as unknown as Libp2p<never>)
  return node
}

/** A plain node that speaks whatever the test makes it speak. */
export async function startBareNode (): Promise<Libp2p> {
  return await startNode({})
}

export async function startSite (
  init: {
    values: Float32Array,
    round?: number,
    mass?: number,
    schema?: Schema,
    limits?: Partial<Limits>,
    settings?: Partial<AveragerSettings>,
    offersPerSecond?: number
  }
): Promise<ProtocolSite> {
  const schema = init.schema ?? vectorSchema(init.values.length)
  const averager = new Averager({
    schema,
    values: init.values,
    round: init.round ?? 1,
    mass: init.mass ?? 1,
    settings: { ...SETTINGS, ...init.settings }
  })
  const node = await startNode<{ exchange: AdapterExchange }>({
    exchange: adapterExchange({
      federationId: FEDERATION,
      averaging: averager,
      ...(init.limits == null ? {} : { limits: init.limits }),
      ...(init.offersPerSecond == null ? {} : { offersPerSecond: init.offersPerSecond })
    })
  })
  return { node, averager, service: node.services.exchange }
}

/** A node that shows what a port says. */
export async function startShower (
  publications: PublicationPort,
  now?: () => number
): Promise<{ node: Libp2p, service: PublicationService }> {
  const init = { federationId: FEDERATION, publications, limits: { progressMs: 2_000 }, ...(now == null ? {} : { now }) }
  const node = await startNode({ shows: (components: PublicationComponents) => new PublicationService(components, init) })
  return { node, service: node.services.shows }
}

export async function startAnnouncer (privateKey?: PrivateKey): Promise<Libp2p<{ announce: Announce, pubsub: GossipSub }>> {
  return await startNode({
    identify: identify(),
    pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }),
    announce: announce({ federationId: FEDERATION })
  } as never, privateKey)
}

/** Resolves when both ends know of the connection. */
export async function connect (from: Libp2p<never> | Libp2p, to: Libp2p<never> | Libp2p): Promise<void> {
  const accepted = new Promise<void>((resolve) => { to.addEventListener('connection:open', () => { resolve() }, { once: true }) })
  await from.dial(to.getMultiaddrs())
  await accepted
}

export async function stopAll (): Promise<void> {
  await Promise.all(running.splice(0).map(async (node) => { await node.stop() }))
}

/** The next event of this name. */
export async function nextEvent<K extends keyof AdapterExchangeEvents> (
  service: AdapterExchange,
  name: K
): Promise<AdapterExchangeEvents[K]['detail']> {
  return await new Promise((resolve) => {
    service.addEventListener(name, (event) => {
      resolve((event as CustomEvent<AdapterExchangeEvents[K]['detail']>).detail)
    }, { once: true })
  })
}
