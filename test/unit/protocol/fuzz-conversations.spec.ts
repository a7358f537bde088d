import type { Connection, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { expect } from 'chai'
import { RefusedError } from '../../../src/errors.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { MemoryExchangeLog } from '../../../src/gossip-aggregation/memory-log.ts'
import { AdapterExchangeService } from '../../../src/protocol/adapter-exchange/adapter-exchange.ts'
import { nextId, seeded, vectorSchema } from '../../sim/site.ts'
import { streamPair } from '../../sim/stream-pair.ts'
import { answer, ATTACKS, initiatorFrames, questionFrames, replyFrames, speak, type Plan } from './hostile-peer.ts'

const SIZE = 40
const CONVERSATIONS = 2_000
const LIMITS = { dialMs: 1_000, firstByteMs: 15, progressMs: 15, leastTotalMs: 60 }
const ROLES = ['initiator', 'responder', 'asker', 'answerer'] as const

/** The real service and averager, with streams in memory to hostile peers. */
class Victim {
  readonly log = new MemoryExchangeLog()
  readonly averager: Averager
  readonly service: AdapterExchangeService
  readonly counts = { exchange: 0, failure: 0, refusal: 0, settled: 0 }
  readonly streams: Stream[] = []
  readonly #handlers = new Map<string, StreamHandler>()
  #onDial: (stream: Stream) => void = () => {}

  constructor () {
    const settings = { codec: 'f32' as const, maxMass: 10, clipRadius: 10, normBound: 1_000, staleness: 3 }
    this.averager = new Averager({ schema: vectorSchema(SIZE), values: new Float32Array(SIZE).fill(1), round: 1, mass: 1, settings, log: this.log })
    const components = {
      peerId: peer('victim'),
      registrar: {
        handle: async (protocol: string, handler: StreamHandler) => { this.#handlers.set(protocol, handler) },
        unhandle: async () => {}
      },
      connectionManager: { openStream: async () => this.#pair(this.#onDial) }
    }
    this.service = new AdapterExchangeService(components, { federationId: 'f', averaging: this.averager, limits: LIMITS, offersPerSecond: 1e9 })
    for (const name of ['exchange', 'failure', 'refusal', 'settled'] as const) this.service.addEventListener(name, () => { this.counts[name]++ })
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
    this.streams.push(mine)
    script(theirs)
    return mine
  }
}

function peer (name: string): PeerId {
  return { toString: () => name } as unknown as PeerId
}

/** One conversation; returns what the victim's own call threw. */
async function converse (victim: Victim, role: typeof ROLES[number], name: string, plan: Plan): Promise<unknown> {
  const { averager, service } = victim
  if (role === 'responder') {
    const offer = { exchangeId: nextId(), schemaHash: averager.schema.hash, round: 1, mass: 1, clipRadius: 10, codecs: ['f32'], want: 'f32' }
    await victim.called('adapter-exchange', name, async (stream) => { await speak(stream, initiatorFrames(offer, SIZE, plan.attack), plan) })
    return undefined
  }
  if (role === 'answerer') {
    await victim.called('outcome', name, async (stream) => { await speak(stream, questionFrames(nextId()), plan) })
    return undefined
  }
  if (role === 'asker') return await victim.calls(name, async (id) => { await service.settle(id) }, async (stream) => { await speak(stream, replyFrames(), plan) })
  return await victim.calls(name, async (id) => await service.exchange(id), async (stream) => { await answer(stream, SIZE, plan) })
}

describe('fuzzed conversations', () => {
  it(`${CONVERSATIONS} of them: each ends, changes nothing unless it was committed, leaves nothing open, and is counted`, async () => {
    const random = seeded(4)
    const victim = new Victim()
    await victim.service.start()
    let broken = 0
    for (let i = 0; i < CONVERSATIONS; i++) {
      const role = ROLES[i % ROLES.length]!
      const plan = { attack: ATTACKS[Math.floor(random() * ATTACKS.length)]!, at: Math.floor(random() * 5), random }
      const name = `peer-${i}`
      const what = `${i}: ${role}, ${plan.attack} at ${plan.at}`
      const before = victim.averager.snapshot()
      const counts = { ...victim.counts }
      const thrown = await converse(victim, role, name, plan)
      const { averager } = victim
      expect(averager.busy, what).to.equal(false)
      const committed = victim.counts.exchange - counts.exchange
      if (committed === 0) expect(averager.values, what).to.deep.equal(before)
      expect(committed, what).to.be.at.most(1)
      const failed = victim.counts.failure - counts.failure
      broken += failed
      expect(failed, what).to.be.at.most(1)
      if (thrown != null && !(thrown instanceof RefusedError)) expect(failed, what).to.equal(1)
      expect(Object.values(victim.service.failuresOf(name)).reduce((sum, count) => sum + count, 0), what).to.equal(failed)
      // Only the initiator that had said Commit is in doubt, and settles when its partner is asked.
      expect([...averager.doubts.keys()].filter((partner) => partner !== name), what).to.deep.equal([])
      for (const id of averager.doubts.values()) await averager.settle(id, 'aborted')
      expect(victim.log.pending(), what).to.deep.equal([])
    }
    await victim.service.stop()
    expect(broken).to.be.above(0.6 * CONVERSATIONS)
    // A peer that does not end its side is cut off, in the background.
    while (victim.streams.some(({ status }) => status === 'open')) await new Promise((resolve) => { setTimeout(resolve, 50) })
  }).timeout(120_000)
})
