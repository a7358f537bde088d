import type { Connection, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { expect } from 'chai'
import { RefusedError } from '../../../src/errors.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { CODECS, type Codec } from '../../../src/gossip-aggregation/codecs/codec.ts'
import { MemoryExchangeLog } from '../../../src/gossip-aggregation/exchange/memory-log.ts'
import { AdapterExchangeService } from '../../../src/protocol/adapter-exchange/adapter-exchange.ts'
import { heldBytes } from '../../sim/held-bytes.ts'
import { nextId, seeded, vectorSchema } from '../../sim/site.ts'
import { streamPair } from '../../sim/stream-pair.ts'
import { answer, ATTACKS, BAD_VECTORS, initiatorFrames, questionFrames, replyFrames, speak, type Plan, type Sent } from './hostile-peer.ts'

const SMALL = 40
/** Two chunks with the coarsest codec, six with f32. */
const LARGE = 350_000
const CONVERSATIONS = 2_000
/** One conversation in so many is about a large vector. */
const LARGE_EVERY = 10
/** So few that each is one whose earlier conversations failed. */
const PEERS = 16
const LIMITS = { dialMs: 1_000, firstByteMs: 15, progressMs: 15, leastTotalMs: 60 }
const LARGE_LIMITS = { ...LIMITS, firstByteMs: 60, progressMs: 60 }
const ROLES = ['initiator', 'responder', 'asker', 'answerer'] as const

/** The real service and averager, with streams in memory to hostile peers. */
class Victim {
  readonly log = new MemoryExchangeLog()
  readonly averager: Averager
  readonly service: AdapterExchangeService
  readonly counts = { exchange: 0, failure: 0, refusal: 0, settled: 0 }
  /** Those that neither side has ended. */
  readonly open = new Set<Stream>()
  readonly sent: Sent
  readonly #handlers = new Map<string, StreamHandler>()
  #onDial: (stream: Stream) => void = () => {}

  constructor (size: number, codec: Codec) {
    this.sent = { size, codec }
    const settings = { codec, maxMass: 10, clipRadius: 10, normBound: 1e5, staleness: 3 }
    this.averager = new Averager({
      schema: vectorSchema(size),
      values: new Float32Array(size).fill(1),
      round: 1,
      mass: 1,
      settings,
      log: this.log
    })
    const components = {
      peerId: peer('victim'),
      registrar: {
        handle: async (protocol: string, handler: StreamHandler) => { this.#handlers.set(protocol, handler) },
        unhandle: async () => {}
      },
      connectionManager: { openStream: async () => this.#pair(this.#onDial) }
    }
    this.service = new AdapterExchangeService(components, {
      federationId: 'f',
      averaging: this.averager,
      limits: size === LARGE ? LARGE_LIMITS : LIMITS,
      offersPerSecond: 1e9
    })
    for (const name of ['exchange', 'failure', 'refusal', 'settled'] as const) {
      this.service.addEventListener(name, () => {
        this.counts[name]++
      })
    }
  }

  /** The peer opens a stream of this protocol to the victim. */
  async called (kind: string, from: string, script: (stream: Stream) => Promise<void>): Promise<void> {
    const handler = this.#handlers.get(`/consilium/f/${kind}/1.0.0`)!
    let served: Promise<unknown> | undefined
    const mine = this.#pair((stream) => { served = script(stream) })
    await handler(mine, { remotePeer: peer(from) } as unknown as Connection)
    await served
  }

  /** The victim opens a stream to the peer. */
  async calls (to: string, work: (peerId: PeerId) => Promise<unknown>, script: (stream: Stream) => Promise<void>): Promise<unknown> {
    let served: Promise<unknown> | undefined
    this.#onDial = (stream) => { served = script(stream) }
    const result = await work(peer(to)).then(() => undefined, (error: unknown) => error)
    await served
    return result
  }

  #pair (script: (stream: Stream) => void): Stream {
    const [mine, theirs] = streamPair()
    this.open.add(mine)
    mine.addEventListener('close', () => { this.open.delete(mine) })
    script(theirs)
    return mine
  }
}

function peer (name: string): PeerId {
  return { toString: () => name } as unknown as PeerId
}

/** One conversation; returns what the victim's own call threw. */
async function converse (victim: Victim, role: typeof ROLES[number], name: string, plan: Plan): Promise<unknown> {
  const { averager, service, sent } = victim
  if (role === 'responder') {
    const offer = {
      exchangeId: nextId(),
      schemaHash: averager.schema.hash,
      round: 1,
      mass: 1,
      clipRadius: 10,
      codecs: CODECS,
      want: sent.codec
    }
    await victim.called('adapter-exchange', name, async (stream) => {
      await speak(stream, initiatorFrames(offer, sent, plan), plan)
    })
    return undefined
  }
  if (role === 'answerer') {
    await victim.called('outcome', name, async (stream) => { await speak(stream, questionFrames(nextId()), plan) })
    return undefined
  }
  if (role === 'asker') {
    return await victim.calls(name, async (id) => {
      await service.settle(id)
    }, async (stream) => {
      await speak(stream, replyFrames(), plan)
    })
  }
  return await victim.calls(name, async (id) => await service.exchange(id), async (stream) => {
    await answer(stream, sent, plan)
  })
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0)

/** One conversation, and all that must be true after it; returns how often it was broken off. */
async function check (
  victim: Victim,
  { role, name, plan, what }: { role: typeof ROLES[number], name: string, plan: Plan, what: string }
): Promise<number> {
  const { averager, log, service } = victim
  const before = Buffer.from(averager.snapshot().buffer)
  const counts = { ...victim.counts }
  const tally = sum(service.failuresOf(name))
  const thrown = await converse(victim, role, name, plan)
  expect(averager.busy, what).to.equal(false)
  const committed = victim.counts.exchange - counts.exchange
  expect(committed, what).to.be.at.most(isBad(plan) || role === 'asker' || role === 'answerer' ? 0 : 1)
  if (committed === 0) expect(before.equals(Buffer.from(averager.snapshot().buffer)), what).to.equal(true)
  else expect(averager.values.every(Number.isFinite), what).to.equal(true)
  const failed = victim.counts.failure - counts.failure
  expect(failed, what).to.be.at.most(1)
  if (thrown != null && !(thrown instanceof RefusedError)) expect(failed, what).to.equal(1)
  expect(sum(service.failuresOf(name)), what).to.equal(tally + failed)
  // Only the initiator that had said Commit is in doubt, and settles when its partner is asked.
  expect([...averager.doubts.keys()].filter((partner) => partner !== name), what).to.deep.equal([])
  for (const id of averager.doubts.values()) await averager.settle(id, 'aborted')
  expect(log.pending(), what).to.deep.equal([])
  expect(log.unacknowledged(name).length, what).to.be.at.most(64)
  return failed
}

function isBad ({ attack }: Plan): boolean {
  return (BAD_VECTORS as readonly string[]).includes(attack)
}

describe('fuzzed conversations', () => {
  it(`${CONVERSATIONS} of them, with every codec and some about several chunks: each ends, changes nothing unless it was ` +
    'committed, leaves nothing open, and is counted', async () => {
    const random = seeded(4)
    const below = (limit: number): number => Math.floor(random() * limit)
    const victims = CODECS.map((codec) => ({ small: new Victim(SMALL, codec), large: new Victim(LARGE, codec) }))
    const all = victims.flatMap(({ small, large }) => [small, large])
    for (const { service } of all) await service.start()
    let broken = 0
    let early = 0
    for (let i = 0; i < CONVERSATIONS; i++) {
      const role = ROLES[i % ROLES.length]!
      const size = below(LARGE_EVERY) === 0 ? 'large' : 'small'
      const victim = victims[below(victims.length)]![size]
      const plan = { attack: ATTACKS[below(ATTACKS.length)]!, at: below(size === 'large' ? 10 : 5), random }
      broken += await check(victim, {
        role,
        name: `peer-${below(PEERS)}`,
        plan,
        what: `${i}: ${role}, ${size}, ${victim.sent.codec}, ${plan.attack} at ${plan.at}`
      })
      if (i === CONVERSATIONS / 4) early = heldBytes()
    }
    for (const { service } of all) await service.stop()
    expect(broken).to.be.above(0.6 * CONVERSATIONS)
    for (const size of ['small', 'large'] as const) {
      expect(victims.reduce((total, each) => total + each[size].counts.exchange, 0), `committed, ${size}`).to.be.above(0)
    }
    // A peer that does not end its side is cut off, in the background.
    while (all.some(({ open }) => open.size > 0)) await new Promise((resolve) => { setTimeout(resolve, 50) })
    // One vector kept for each large conversation would be ten times as much.
    expect(heldBytes() - early).to.be.below(15 * 4 * LARGE)
  }).timeout(120_000)
})
