import { TypedEventEmitter, type Connection, type PeerId, type Startable, type Stream } from '@libp2p/interface'
import { RateLimit } from '../../common/rate-limit.ts'
import { ProtocolError, RefusedError, TimeoutError } from '../../errors.ts'
import { Frames } from '../shared/frames.ts'
import { within } from '../shared/within.ts'
import { protocolId } from '../versions.ts'
import { greet, takeBatch, type Greeted } from './greet.ts'
import {
  statementBatches,
  decodeMembershipMessage,
  encodeMembershipMessage,
  MAX_MEMBERSHIP_BYTES,
  type StatementBatch
} from './messages.ts'
import type {
  CredentialReason, Greeting, Membership, MembershipComponents, MembershipEvents, MembershipInit, MembershipNews
} from './types.ts'

const ESTABLISH_MS = 20_000
const STEP_MS = 10_000
const OPEN_MS = 10_000
const FINISH_MS = 2_000
const LAST_WORD_MS = 1_000
const MAX_STREAMS = 8
const STREAMS_PER_SECOND = 5
const STREAM_BURST = 40
/** Many sites may come from one address: a hospital network behind NAT, or loopback. */
const PER_ADDRESS = 20

/** Certificates both ways right after connect, revocations and network keys whenever there are new ones. */
export class MembershipService extends TypedEventEmitter<MembershipEvents> implements Membership, Startable {
  readonly protocol: string
  readonly #components: MembershipComponents
  readonly #init: MembershipInit
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #perPeer = new RateLimit({ perSecond: STREAMS_PER_SECOND, burst: STREAM_BURST, now: () => performance.now() })
  readonly #perAddress = new RateLimit({
    perSecond: PER_ADDRESS * STREAMS_PER_SECOND,
    burst: PER_ADDRESS * STREAM_BURST,
    now: () => performance.now()
  })

  /** What this site showed where both sides accepted each other. */
  readonly #shown = new WeakMap<Connection, Uint8Array>()
  readonly #greeting = new WeakSet<Connection>()
  #stopping = new AbortController()
  #started = false

  constructor (components: MembershipComponents, init: MembershipInit) {
    super()
    this.#components = components
    this.#init = init
    this.protocol = protocolId(init.federationId, 'membership', init.protocols)
  }

  isStarted (): boolean {
    return this.#started
  }

  async start (): Promise<void> {
    if (this.#started) return
    this.#started = true
    this.#stopping = new AbortController()
    const { registrar, events } = this.#components
    events.addEventListener('connection:open', this.#onOpen)
    events.addEventListener('connection:close', this.#onClose)
    await registrar.handle(this.protocol, async (stream, connection) => {
      await this.#onStream(stream, connection)
    }, { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS, runOnLimitedConnection: true })
  }

  async stop (): Promise<void> {
    if (!this.#started) return
    this.#started = false
    const { registrar, events } = this.#components
    events.removeEventListener('connection:open', this.#onOpen)
    events.removeEventListener('connection:close', this.#onClose)
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#stopping.abort(new RefusedError('this node is stopping'))
    await registrar.unhandle(this.protocol)
  }

  async spread (news: MembershipNews): Promise<void> {
    await this.#spread(news)
  }

  async review (): Promise<void> {
    for (const { connection, reason } of (await this.#judgeAll()).values()) await this.#refuse(connection, reason)
  }

  async tellTwin (connection: Connection, instance: number): Promise<void> {
    await this.#send(connection, [{ statements: [], last: true, twin: instance }])
  }

  async tellRenewal (connection: Connection, certificate: Uint8Array): Promise<void> {
    await this.#send(connection, [{ statements: [], last: true, certificate }])
  }

  greetAnew (): void {
    const own = Buffer.from(this.#init.membership.greeting().credential)
    for (const { connection } of this.#init.admissions.admitted) {
      const shown = this.#shown.get(connection)
      if (shown == null || own.equals(shown) || this.#greeting.has(connection)) continue
      this.#greeting.add(connection)
      this.#background(this.#greetFirst(connection).finally(() => { this.#greeting.delete(connection) }))
    }
  }

  /** `from` needs not be told. */
  async #spread ({ key, ...news }: MembershipNews, from?: Connection): Promise<void> {
    const told = this.#init.admissions.admitted.map(({ connection }) => connection).filter((connection) => connection !== from)
    // First the cut, then the word: a revoked site is told why, and never gets a key.
    const cut = await this.#judgeAll()
    await Promise.all(told.map(async (connection) => {
      await this.#tell(connection, cut.has(connection.id) ? news : { ...news, ...(key == null ? {} : { key }) }).catch(
        () => { /* it hears of it when it comes back */ }
      )
    }))
    await Promise.all([...cut.values()].map(async ({ connection, reason }) => { await this.#refuse(connection, reason) }))
  }

  readonly #onOpen = ({ detail: connection }: CustomEvent<Connection>): void => {
    this.#init.admissions.open(connection)
    const timer = setTimeout(() => { this.#background(this.#refuse(connection, 'LATE')) }, this.#init.establishMs ?? ESTABLISH_MS)
    this.#timers.set(connection.id, timer)
    if (connection.direction === 'outbound') this.#background(this.#greetFirst(connection))
  }

  readonly #onClose = ({ detail: connection }: CustomEvent<Connection>): void => {
    this.#clearTimer(connection)
    if (this.#init.admissions.close(connection)) this.dispatchEvent(new CustomEvent('left', { detail: { peer: connection.remotePeer } }))
  }

  async #greetFirst (connection: Connection): Promise<void> {
    let stream: Stream
    try {
      stream = await connection.newStream(this.protocol, {
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(OPEN_MS)]),
        runOnLimitedConnection: true
      })
    } catch (error) {
      // A line that says nothing in time says nothing about certificates either.
      const reason = (error as Error).name === 'UnsupportedProtocolError' ? 'NONE' : 'LATE'
      const isNew = !this.#init.admissions.isOpen(connection)
      if (isNew && !this.#stopping.signal.aborted && connection.status === 'open') await this.#refuse(connection, reason)
      return
    }
    await this.#converse(stream, connection, async (frames) => {
      const own = this.#init.membership.greeting()
      await frames.write(encodeMembershipMessage({ hello: own }), this.#limit('room for the greeting'))
      const step = decodeMembershipMessage(await frames.read(MAX_MEMBERSHIP_BYTES, this.#limit('greeting')))
      if ('answer' in step && step.answer.refused != null) return { refusedBy: 'them', reason: step.answer.refused }
      if (!('hello' in step)) throw new ProtocolError('an answer without a greeting')
      return await this.#greet(frames, connection, step.hello, own)
    })
  }

  async #onStream (stream: Stream, connection: Connection): Promise<void> {
    const parts = connection.remoteAddr.getComponents()
    // Behind a relay there are many.
    const isRelayed = parts.some(({ name }) => name === 'p2p-circuit')
    const address = (isRelayed ? parts.at(-1) : parts[0])?.value ?? ''
    if (this.#perPeer.take(connection.remotePeer.toString()) > 0 || this.#perAddress.take(address) > 0) {
      stream.abort(new RefusedError('RATE_LIMITED'))
      return
    }
    await this.#converse(stream, connection, async (frames) => {
      const opening = decodeMembershipMessage(await frames.read(MAX_MEMBERSHIP_BYTES, this.#limit('greeting')))
      if ('batch' in opening) return await this.#takeUpdate(frames, connection, opening.batch)
      if (!('hello' in opening)) throw new ProtocolError('a verdict before the greeting')
      const own = this.#init.membership.greeting()
      await frames.write(encodeMembershipMessage({ hello: own }), this.#limit('room for the greeting'))
      return await this.#greet(frames, connection, opening.hello, own)
    })
  }

  async #greet (frames: Frames, connection: Connection, theirs: Greeting, own: Greeting): Promise<Greeted> {
    const { membership, admissions } = this.#init
    const end = await greet(frames, membership, theirs, {
      peer: connection.remotePeer.toString(),
      limit: (what) => this.#limit(what),
      admit: () => { admissions.admit(connection, theirs.credential) },
      onNews: (news) => { this.#background(this.#spread(news, connection)) }
    })
    if ('accepted' in end) {
      this.#shown.set(connection, own.credential)
      this.dispatchEvent(new CustomEvent('greeted', { detail: { connection, instance: theirs.instance ?? 0 } }))
    }
    return end
  }

  /** Runs one conversation and draws its conclusion; whatever goes wrong in it is the peer's loss. */
  async #converse (stream: Stream, connection: Connection, talk: (frames: Frames) => Promise<Greeted | undefined>): Promise<void> {
    const frames = new Frames(stream)
    let end: Greeted | undefined
    try {
      end = await talk(frames)
      frames.finish(FINISH_MS)
    } catch (error) {
      frames.abort(error as Error)
      if (this.#stopping.signal.aborted || connection.status !== 'open') return
      if (error instanceof ProtocolError) await this.#refuse(connection, 'MALFORMED')
      // Whoever is let in and greets once more may stand behind a whole adapter on a slow line.
      else if (error instanceof TimeoutError && !this.#init.admissions.isOpen(connection)) await this.#refuse(connection, 'LATE')
      return
    }
    if (end == null) return
    if ('refusedBy' in end) await this.#part(connection, end.refusedBy, end.reason)
    else this.#establish(connection)
  }

  #establish (connection: Connection): void {
    this.#clearTimer(connection)
    if (this.#init.admissions.establish(connection)) {
      this.dispatchEvent(new CustomEvent('established', { detail: { peer: connection.remotePeer } }))
    }
  }

  async #refuse (connection: Connection, reason: CredentialReason): Promise<void> {
    await this.#part(connection, 'us', reason)
  }

  async #part (connection: Connection, by: 'us' | 'them', reason: CredentialReason): Promise<void> {
    this.#init.admissions.withdraw(connection)
    this.#clearTimer(connection)
    this.dispatchEvent(new CustomEvent('refused', { detail: { peer: connection.remotePeer, by, reason } }))
    if (by === 'us') await this.#untilRead(connection)
    if (connection.status !== 'open') return
    await within(connection.close(), { ms: FINISH_MS, what: 'end of the connection' }).catch((error: unknown) => {
      connection.abort(error as Error)
    })
  }

  /** Lets the other side read why, and hang up by itself. */
  async #untilRead (connection: Connection): Promise<void> {
    if (connection.status !== 'open') return
    const gone = Promise.withResolvers<void>()
    connection.addEventListener('close', () => {
      gone.resolve()
    }, { once: true })
    await within(gone.promise, { ms: LAST_WORD_MS, what: 'end of the connection', signal: this.#stopping.signal }).catch(
      () => { /* then this side hangs up */ }
    )
  }

  async #takeUpdate (frames: Frames, connection: Connection, first: StatementBatch): Promise<undefined> {
    const { membership, admissions } = this.#init
    const standing = admissions.standingOf(connection)
    if (standing === 'withdrawn') return undefined
    if (standing === 'unknown') throw new ProtocolError('news from a peer that is not certified')
    for (let batch = first; ;) {
      if (batch.twin != null) this.#hearTwin(connection.remotePeer, batch.twin)
      if (batch.certificate != null) await membership.learnRenewal?.(connection.remotePeer.toString(), batch.certificate)
      const news = await takeBatch(membership, batch)
      if (news != null) this.#background(this.#spread(news, connection))
      if (batch.last) break
      const step = decodeMembershipMessage(await frames.read(MAX_MEMBERSHIP_BYTES, this.#limit('news')))
      if (!('batch' in step)) throw new ProtocolError('something else among the news')
      batch = step.batch
    }
    return undefined
  }

  async #tell (connection: Connection, { statements = [], documents = [], scores = [], key }: MembershipNews): Promise<void> {
    if (statements.length + documents.length + scores.length === 0 && key == null) return
    await this.#send(connection, statementBatches(statements, key, documents, scores))
  }

  async #send (connection: Connection, batches: readonly StatementBatch[]): Promise<void> {
    const stream = await connection.newStream(this.protocol, {
      signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(OPEN_MS)]),
      runOnLimitedConnection: true
    })
    const frames = new Frames(stream)
    try {
      for (const batch of batches) await frames.write(encodeMembershipMessage({ batch }), this.#limit('room for news'))
      await within(stream.close(), this.#limit('end of the stream'))
    } catch (error) {
      frames.abort(error as Error)
      throw error
    }
  }

  #hearTwin (by: PeerId, instance: number): void {
    if (instance === this.#init.membership.greeting().instance) return
    this.dispatchEvent(new CustomEvent('twin', { detail: { by, instance } }))
  }

  /** Withdraws what no longer holds and returns it by connection id. */
  async #judgeAll (): Promise<Map<string, { connection: Connection, reason: CredentialReason }>> {
    const { admissions, membership } = this.#init
    const cut = new Map<string, { connection: Connection, reason: CredentialReason }>()
    for (const { connection, credential } of admissions.admitted) {
      const reason = await membership.judge(connection.remotePeer.toString(), credential)
      if (reason == null) continue
      admissions.withdraw(connection)
      cut.set(connection.id, { connection, reason })
    }
    return cut
  }

  #limit (what: string): { ms: number, what: string, signal: AbortSignal } {
    return { ms: STEP_MS, what, signal: this.#stopping.signal }
  }

  #clearTimer ({ id }: Connection): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
  }

  #background (work: Promise<void>): void {
    work.catch(() => { /* ends with its connection */ })
  }
}
