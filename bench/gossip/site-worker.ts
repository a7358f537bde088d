/** One site of the bench in a process of its own: the daemon's host, exchange service, log and checkpoints, without trainer, announcements and control port. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import { start } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { Averager } from '../../src/gossip-aggregation/averager.ts'
import { Checkpoint } from '../../src/node/checkpoint.ts'
import { keyedNoise } from '../../src/node/network/encrypter.ts'
import { Guard } from '../../src/node/network/guard.ts'
import { createHost } from '../../src/node/network/host.ts'
import { sitePaths } from '../../src/node/paths.ts'
import { AdapterStore } from '../../src/node/storage/adapter-store.ts'
import { DiskExchangeLog } from '../../src/node/storage/exchange-log.ts'
import { adapterExchange, type AdapterExchange, type AdapterExchangeComponents } from '../../src/protocol/adapter-exchange/index.ts'
import { listenLibp2p, listenTcp, swapLibp2p, swapTcp } from './bare.ts'
import type { CallMessage, CallName, Calls, ReplyMessage, SiteSetup } from './messages.ts'
import { benchSchema, relativeToMean, siteVector } from './vectors.ts'

interface Site {
  readonly setup: SiteSetup
  readonly averager: Averager
  readonly service: AdapterExchange
  readonly dial: (address: string) => Promise<void>
}

/** No radius, bound or rate of a federation is in the way of what is measured. */
const UNBOUNDED = 1e12

let site: Site | undefined

async function open (setup: SiteSetup): Promise<Calls['open']['reply']> {
  const { index, size, codec, home, federationId, networkKey } = setup
  const paths = sitePaths(home)
  const schema = benchSchema(size)
  const log = await DiskExchangeLog.open(paths.exchanges)
  const settings = { codec, maxMass: 1, clipRadius: UNBOUNDED, normBound: UNBOUNDED, staleness: 3 }
  const averager = new Averager({ schema, values: siteVector(index, size), round: 0, mass: 1, settings, log })
  const onFailure = (error: unknown): void => { throw error as Error }
  const checkpoint = new Checkpoint({ averager, store: new AdapterStore({ paths, schema, now: Date.now }), onFailure })
  const host = await createHost<{ late: { components: AdapterExchangeComponents } }>({
    key: await generateKeyPair('Ed25519'),
    federationId,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    encrypter: keyedNoise({ federationId, networkKey: Buffer.from(networkKey, 'hex'), onRefused: () => {} }),
    guard: new Guard({ onBan: (_peer, reason) => onFailure(new Error(reason)) }),
    services: { late: (components: AdapterExchangeComponents) => ({ components }) }
  })
  const service = adapterExchange({ federationId, averaging: averager, offersPerSecond: UNBOUNDED })(host.services.late.components)
  service.addEventListener('exchange', () => { checkpoint.exchanged() })
  service.addEventListener('failure', ({ detail }) => { process.stderr.write(`site ${index}, ${detail.role}: ${detail.reason}: ${detail.error.message}\n`) })
  await start(service)
  site = { setup, averager, service, dial: async (address) => { await host.dial(multiaddr(address)) } }
  return { peerId: host.peerId.toString(), address: host.getMultiaddrs()[0]!.toString() }
}

const calls: { readonly [N in CallName]: (request: Calls[N]['request']) => Promise<Calls[N]['reply']> } = {
  open,
  connect: async ({ address }) => {
    await opened().dial(address)
    return null
  },
  exchange: async ({ peerId }) => {
    const { bytesSent, bytesReceived, durationMs } = await opened().service.exchange(peerIdFromString(peerId))
    return { ms: durationMs, bytes: bytesSent + bytesReceived }
  },
  distance: async () => ({ relative: relativeToMean(opened().averager.values, opened().setup.sites) }),
  usage: async () => {
    const { user, system } = process.cpuUsage()
    return { cpuMs: (user + system) / 1e3, peakBytes: process.resourceUsage().maxRSS * 1024 }
  },
  listen: async ({ kind, bytes }) => ({ address: await (kind === 'tcp' ? listenTcp : listenLibp2p)(bytes) }),
  swap: async ({ kind, address, bytes }) => {
    await (kind === 'tcp' ? swapTcp : swapLibp2p)(address, bytes)
    return null
  }
}

function opened (): Site {
  if (site == null) throw new Error('the site is not open')
  return site
}

process.on('message', ({ id, call, request }: CallMessage) => {
  const answer = (message: ReplyMessage): void => { process.send?.(message) }
  calls[call](request as never).then((reply) => { answer({ id, reply }) }, (error: unknown) => { answer({ id, failure: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }) })
})
process.on('disconnect', () => process.exit(0))
