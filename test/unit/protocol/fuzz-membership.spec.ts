import type { Connection, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { expect } from 'chai'
import { ProtocolError } from '../../../src/errors.ts'
import { Admissions, type CredentialReason, type MembershipPort, type NetworkKey } from '../../../src/protocol/membership/index.ts'
import { MembershipService } from '../../../src/protocol/membership/membership.ts'
import { encodeMembershipMessage } from '../../../src/protocol/membership/messages.ts'
import { seeded } from '../../sim/site.ts'
import { streamPair } from '../../sim/stream-pair.ts'
import { ATTACKS, BAD_VECTORS, speak, type Plan } from './hostile-peer.ts'

const CONVERSATIONS = 500
const AT_ONCE = 25
const ESTABLISH_MS = 100
/** One peer in so many does not hang up when it is told to. */
const STUBBORN = 100
const ROLES = ['dialled', 'dialling', 'news'] as const
const bytes = (words: string): Uint8Array => Buffer.from(words)
const text = (word: Uint8Array): string => Buffer.from(word).toString()

/** Only "good" is a credential, and only what begins with "word" a statement. */
class Rules implements MembershipPort {
  readonly said = new Set<string>()

  greeting (): ReturnType<MembershipPort['greeting']> {
    return { credential: bytes('good'), digest: new Uint8Array(32), key: { epoch: 0, hash: new Uint8Array(32) } }
  }

  async judge (_peer: string, credential: Uint8Array): Promise<CredentialReason | undefined> {
    return text(credential) === 'good' ? undefined : 'EXPIRED'
  }

  statements (): Uint8Array[] {
    return []
  }

  async learn (statements: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const news = statements.map(text).filter((each) => !this.said.has(each))
    if (!news.every((each) => each.startsWith('word'))) throw new ProtocolError('a lie')
    for (const each of news) this.said.add(each)
    return news.map(bytes)
  }

  async caughtUp (): Promise<void> {}

  newerKey (): NetworkKey | undefined {
    return undefined
  }

  async learnKey (): Promise<boolean> {
    throw new ProtocolError('a key that nobody sent')
  }
}

/** A connection to a hostile peer, which answers each stream with its script. */
class FakeConnection extends EventTarget {
  status = 'open'
  readonly id: string
  readonly remotePeer: PeerId
  readonly direction: 'inbound' | 'outbound'
  readonly remoteAddr = { getComponents: () => [{ value: '127.0.0.1' }] }
  readonly ended = Promise.withResolvers<void>()
  readonly streams: Stream[] = []
  readonly #script: (stream: Stream) => Promise<void>

  constructor (id: string, direction: 'inbound' | 'outbound', script: (stream: Stream) => Promise<void>) {
    super()
    this.id = id
    this.direction = direction
    this.#script = script
    this.remotePeer = { toString: () => id, equals: (other: unknown) => String(other) === id } as unknown as PeerId
  }

  /** The victim's end of a stream that either side opened. */
  async newStream (): Promise<Stream> {
    if (this.status !== 'open') throw new Error('the connection is closed')
    const [mine, theirs] = streamPair()
    this.streams.push(mine)
    // Not before the victim listens.
    setImmediate(() => { this.#script(theirs).catch(() => {}) })
    return mine
  }

  async close (): Promise<void> {
    this.abort(new Error('closed'))
  }

  abort (error: Error): void {
    if (this.status !== 'open') return
    this.status = 'closed'
    for (const stream of this.streams) stream.abort(error)
    this.dispatchEvent(new Event('close'))
    this.ended.resolve()
  }
}

class Victim {
  readonly rules = new Rules()
  readonly admissions = new Admissions()
  readonly service: MembershipService
  readonly refusals = new Map<string, number>()
  readonly #events = new EventTarget()
  readonly #established = new Map<string, () => void>()
  #handler: StreamHandler = () => {}

  constructor () {
    const registrar = { handle: async (_: string, handler: StreamHandler) => { this.#handler = handler }, unhandle: async () => {} }
    const components = { registrar, connectionManager: { getConnections: () => [] }, events: this.#events }
    this.service = new MembershipService(components as unknown as ConstructorParameters<typeof MembershipService>[0], {
      federationId: 'f',
      membership: this.rules,
      admissions: this.admissions,
      establishMs: ESTABLISH_MS
    })
    this.service.addEventListener('refused', ({ detail }) => {
      this.refusals.set(detail.peer.toString(), (this.refusals.get(detail.peer.toString()) ?? 0) + 1)
    })
    this.service.addEventListener('established', ({ detail }) => {
      this.#established.get(detail.peer.toString())?.()
    })
  }

  /** Resolves when both sides accepted each other (true) or the connection is closed. */
  async connect (connection: FakeConnection): Promise<boolean> {
    const established = new Promise<boolean>((resolve) => { this.#established.set(connection.id, () => { resolve(true) }) })
    connection.addEventListener('close', () => { this.#tell('close', connection) })
    this.#tell('open', connection)
    if (connection.direction === 'inbound') this.called(connection)
    return await Promise.race([established, connection.ended.promise.then(() => false)])
  }

  /** The peer opens a stream. */
  called (connection: FakeConnection): void {
    connection.newStream().then(async (stream) => { await this.#handler(stream, connection as unknown as Connection) }, () => {})
  }

  #tell (name: 'open' | 'close', detail: FakeConnection): void {
    this.#events.dispatchEvent(new CustomEvent(`connection:${name}`, { detail }))
  }
}

interface Talk extends Plan {
  readonly role: typeof ROLES[number]
  readonly credential: string
  readonly statement: string
  readonly isStubborn: boolean
}

/** Greeting, statements, verdict as this peer has them. */
function frames ({ credential, statement }: Pick<Talk, 'credential' | 'statement'>): Uint8Array[] {
  const hello = { credential: bytes(credential), digest: new Uint8Array(32).fill(1), key: { epoch: 0, hash: new Uint8Array(32) } }
  return [{ hello }, { batch: { statements: [bytes(statement)], last: true } }, { answer: {} }].map(encodeMembershipMessage)
}

/** One connection to its end; returns whether it was established. */
async function converse (victim: Victim, id: string, talk: Talk): Promise<boolean> {
  let streams = 0
  const connection = new FakeConnection(id, talk.role === 'dialled' ? 'outbound' : 'inbound', async (stream) => {
    const isNews = streams++ > 0
    // A liar that wants to be believed first greets like everybody else.
    if (talk.role === 'news' && !isNews) await speak(stream, frames({ credential: 'good', statement: 'word' }), { ...talk, attack: 'none' })
    else await speak(stream, isNews ? frames(talk).slice(1, 2) : frames(talk), talk)
  })
  const onRefused = ({ detail }: CustomEvent<{ peer: PeerId }>): void => {
    if (detail.peer.equals(connection.remotePeer)) {
      setImmediate(() => {
        connection.abort(new Error('hung up'))
      })
    }
  }
  if (!talk.isStubborn) victim.service.addEventListener('refused', onRefused)
  const established = await victim.connect(connection)
  if (established) {
    expect(
      victim.admissions.admitted.filter((each) => each.connection === connection as unknown as Connection).map((each) =>
        text(each.credential)
      ),
      id
    ).to.deep.equal(['good'])
    if (talk.role === 'news') victim.called(connection)
    await Promise.race([connection.ended.promise, new Promise((resolve) => { setTimeout(resolve, ESTABLISH_MS) })])
    await connection.close()
  } else expect(victim.refusals.get(id), id).to.be.at.least(1)
  victim.service.removeEventListener('refused', onRefused)
  expect(connection.streams.filter(({ status }) => status === 'open'), id).to.deep.equal([])
  expect(victim.admissions.admits(connection.remotePeer), id).to.equal(false)
  return established
}

describe('fuzzed conversations about membership', () => {
  it(`${CONVERSATIONS} of them: each ends, admits nobody and learns nothing without a credential, and leaves nothing open`, async () => {
    const random = seeded(7)
    const below = (limit: number): number => Math.floor(random() * limit)
    const attacks = ATTACKS.filter((each) => !(BAD_VECTORS as readonly string[]).includes(each))
    const victim = new Victim()
    await victim.service.start()
    const ends: boolean[] = []
    while (ends.length < CONVERSATIONS) {
      const talks = Array.from({ length: AT_ONCE }, (_, i): [string, Talk] => {
        const role = ROLES[below(ROLES.length)]!
        const credential = role !== 'news' && below(5) === 0 ? 'old' : 'good'
        return [`peer-${ends.length + i}`, {
          role,
          credential,
          statement: below(5) === 0 ? 'liar' : `word of ${credential} ${i}`,
          attack: attacks[below(attacks.length)]!,
          at: below(3),
          random,
          isStubborn: below(STUBBORN) === 0
        }]
      })
      ends.push(...await Promise.all(talks.map(async ([id, talk]) => await converse(victim, id, talk))))
    }
    expect(victim.admissions.admitted).to.deep.equal([])
    expect([...victim.rules.said].filter((each) => each.includes('old'))).to.deep.equal([])
    expect(victim.rules.said.size).to.be.above(10)
    expect(ends.filter(Boolean).length).to.be.within(0.1 * CONVERSATIONS, 0.8 * CONVERSATIONS)
    expect(victim.refusals.size).to.be.above(0.4 * CONVERSATIONS)
    await victim.service.stop()
  }).timeout(60_000)
})
