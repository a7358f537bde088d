/**
 * One site in a process of its own: the daemon's host, exchange service, log, checkpoints and settlement, without trainer,
 * announcements and control port.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { start } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { loadOrCreateIdentity } from '../../src/federation/identity.ts'
import { Averager } from '../../src/gossip-aggregation/averager.ts'
import type { ExchangeLog, LogEntry } from '../../src/gossip-aggregation/exchange/exchange-log.ts'
import { AdapterStore } from '../../src/home/adapter-store.ts'
import { DiskExchangeLog } from '../../src/home/exchange-log.ts'
import { sitePaths } from '../../src/home/paths.ts'
import { UnmixedStore } from '../../src/home/unmixed-store.ts'
import { createHost } from '../../src/node/network/host.ts'
import { keyedNoise } from '../../src/node/network/keyed-noise.ts'
import { PeerLimits } from '../../src/node/network/limits/peer-limits.ts'
import { adapterExchange, type AdapterExchange, type AdapterExchangeComponents } from '../../src/protocol/adapter-exchange/index.ts'
import { Checkpoint } from '../../src/rounds/checkpoint.ts'
import { systemClock } from '../../src/rounds/clock.ts'
import { createLogger } from '../../src/rounds/logger.ts'
import { Settlement } from '../../src/rounds/settlement.ts'
import type { SiteCalls, SiteSetup } from './messages.ts'
import { ownUsage, serve } from './serve.ts'
import { benchSchema, free, numbersOf, relativeToMean, siteVector } from './vectors.ts'

interface MeasuredSite {
  readonly setup: SiteSetup
  readonly averager: Averager
  readonly checkpoint: Checkpoint
  readonly service: AdapterExchange
  readonly dial: (address: string) => Promise<void>
  readonly reserve: (address: string) => Promise<string>
}

/** No radius, bound or rate of a federation is in the way of what is measured. */
const UNBOUNDED = 1e12
const POLL_MS = 50
/** In which a vector is drawn anew. */
const PIECES = 8

let site: MeasuredSite | undefined
/** Whether the process dies at its change: not while it takes up what an earlier one left. */
let armed = false
let leaving = false

async function open (setup: SiteSetup): Promise<SiteCalls['open']['reply']> {
  const { codec, home, federationId, networkKey, index, size } = setup
  const paths = sitePaths(home)
  const schema = benchSchema(size)
  const log = dying(await DiskExchangeLog.open(paths.exchanges), setup.dieAt)
  const settings = { codec, maxMass: 1, clipRadius: UNBOUNDED, normBound: UNBOUNDED, staleness: 3 }
  const store = new AdapterStore({ paths, schema, now: Date.now })
  const saved = await store.load()
  const values = saved?.values ?? siteVector(index, size)
  const averager = await Averager.recover({
    schema,
    values,
    round: 0,
    mass: 1,
    settings,
    log,
    included: saved?.notes?.included ?? [],
    learnt: saved?.notes?.learnt
  })
  free(values)
  const onFailure = (error: unknown): void => { throw error as Error }
  const unmixed = new UnmixedStore({ folder: paths.unmixed, schema })
  const checkpoint = new Checkpoint({ averager, store, unmixed, onFailure })
  const host = await createHost<{ late: { components: AdapterExchangeComponents } }>({
    key: await loadOrCreateIdentity(paths.identity),
    federationId,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    relay: setup.relay ?? false,
    encrypter: keyedNoise({ federationId, networkKey: Buffer.from(networkKey, 'hex'), onRefused: () => {} }),
    limits: new PeerLimits({
      onBan: (
        _peer,
        reason
      ) => { process.stderr.write(`site ${index} cut a partner off, because it ${reason}\n`) }
    }),
    services: { late: (components: AdapterExchangeComponents) => ({ components }) }
  })
  const service = adapterExchange({ federationId, averaging: averager, offersPerSecond: UNBOUNDED })(host.services.late.components)
  host.addEventListener('connection:close', () => {
    if (!leaving) process.stderr.write(`site ${index} lost a connection\n`)
  })
  service.addEventListener('exchange', () => {
    checkpoint.exchanged()
  })
  service.addEventListener('failure', ({ detail }) => {
    process.stderr.write(`site ${index}, ${detail.role}: ${detail.reason}: ${detail.error.message}\n`)
  })
  await start(service)
  const settlement = new Settlement({
    doubts: () => averager.doubts.keys(),
    connected: () => host.getPeers().map(String),
    settle: async (partner) => {
      await service.settle(peerIdFromString(partner))
    },
    clock: systemClock
  })
  settlement.start()
  armed = true
  const dial = async (address: string): Promise<void> => { await host.dial(multiaddr(address)) }
  const reserve = async (address: string): Promise<string> => {
    await dial(address)
    host.services.relays.begin({ isCertified: () => true, notices: { warn: () => {}, over: () => {} }, logger: createLogger('silent') })
    while (host.services.relays.relays.length === 0) await sleep(POLL_MS)
    host.services.relays.end()
    return `${address}/p2p-circuit/p2p/${host.peerId.toString()}`
  }
  site = { setup, averager, checkpoint, service, dial, reserve }
  return { peerId: host.peerId.toString(), address: host.getMultiaddrs()[0]!.toString() }
}

/** The same log in a process that dies at one of its changes. */
function dying (log: DiskExchangeLog, dieAt: SiteSetup['dieAt']): ExchangeLog {
  if (dieAt == null) return log
  const change = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    if (!armed || dieAt.change !== name) return await work()
    if (dieAt.when === 'before') process.kill(process.pid, 'SIGKILL')
    const result = await work()
    process.kill(process.pid, 'SIGKILL')
    return result
  }
  return {
    begin: async (head) => {
      const entry = await log.begin(head)
      return {
        append: async (part) => {
          await entry.append(part)
        },
        discard: async () => {
          await entry.discard()
        },
        seal: async (state, factor) => {
          await change('seal', async () => {
            await entry.seal(state, factor)
          })
        }
      } satisfies LogEntry
    },
    settle: async (id, verdict) => { await change('settle', async () => { await log.settle(id, verdict) }) },
    absorb: async (ids) => { await change('absorb', async () => { await log.absorb(ids) }) },
    forget: async (ids, partner) => { await change('forget', async () => { await log.forget(ids, partner) }) },
    read: async (id) => await log.read(id),
    pending: () => log.pending(),
    committed: () => log.committed(),
    outcome: (id, partner) => log.outcome(id, partner),
    unacknowledged: (partner) => log.unacknowledged(partner)
  }
}

serve<SiteCalls>({
  open,
  leave: async () => {
    leaving = true
    return null
  },
  connect: async ({ address }) => {
    await opened().dial(address)
    return null
  },
  reserve: async ({ address }) => ({ address: await opened().reserve(address) }),
  exchange: async ({ peerId }) => {
    const { bytesSent, bytesReceived, durationMs } = await opened().service.exchange(peerIdFromString(peerId))
    return { ms: durationMs, bytes: bytesSent + bytesReceived }
  },
  draw: async () => {
    await opened().checkpoint.settled()
    draw(opened())
    return null
  },
  distance: async () => ({ relative: relativeToMean(opened().averager.values, opened().setup.sites) }),
  state: async () => ({ values: [...opened().averager.values], inDoubt: opened().averager.inDoubt }),
  save: async () => {
    await opened().checkpoint.save()
    return null
  },
  usage: async () => ownUsage()
})

/** As training lands, but in pieces: an array takes memory only where it was written, and what a site needs of it is measured. */
function draw ({ averager, setup: { index, size } }: MeasuredSite): void {
  const next = numbersOf(index)
  const nothing = new Float32Array(size)
  const piece = Math.ceil(size / PIECES)
  for (let begin = 0; begin < size; begin += piece) {
    const { values } = averager
    const change = new Float32Array(size)
    for (let i = begin; i < Math.min(begin + piece, size); i++) change[i] = next() - values[i]!
    averager.land(nothing, change, averager.round)
    free(change)
  }
  free(nothing)
}

function opened (): MeasuredSite {
  if (site == null) throw new Error('the site is not open')
  return site
}
