import {
  TypedEventEmitter, type Connection, type PeerId, type Startable, type Stream, type TypedEventTarget
} from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { RateLimit } from '../../common/rate-limit.ts'
import { RefusedError, TimeoutError, UnreachableError } from '../../errors.ts'
import { DEFAULT_LIMITS, type Limits } from '../adapter-exchange/limits.ts'
import { openStream } from '../shared/dial.ts'
import { Frames } from '../shared/frames.ts'
import { protocolId, type Protocols } from '../versions.ts'
import type { Item } from './messages.ts'
import { askPublications, showPublications, type PublicationPort, type PublicationTalk, type Shown } from './talk.ts'

const MAX_STREAMS = 2
const QUESTIONS = { perSecond: 1, burst: 10 }
/** Of the same numbers by one peer: once a minute, and once more, since what breaks off is asked for again. */
const NUMBERS = { perSecond: 1 / 60, burst: 2 }
/** Slowest link that is waited for, bytes per millisecond. */
const SLOWEST = 32

export interface PublicationEvents {
  sent: CustomEvent<Shown & { readonly partner: string }>
  /** What left in a conversation, with length prefixes, whatever became of it. */
  bytes: CustomEvent<{ readonly sent: number }>
  failure: CustomEvent<{ readonly partner: string, readonly error: Error }>
}

export interface PublicationInit {
  readonly federationId: string
  readonly publications: PublicationPort
  readonly limits?: Partial<Limits>
  readonly protocols?: Protocols | undefined
  /** Milliseconds. */
  readonly now?: () => number
}

export interface PublicationComponents {
  readonly registrar: Pick<Registrar, 'handle' | 'unhandle'>
  readonly connectionManager: Pick<ConnectionManager, 'openStream'>
}

/** `publication/1.0.0`: what a site shows is pulled by the others (docs/spec/publications.md#on-the-wire). */
export class PublicationService extends TypedEventEmitter<PublicationEvents> implements Startable, TypedEventTarget<PublicationEvents> {
  readonly protocol: string
  readonly #components: PublicationComponents
  readonly #init: PublicationInit
  readonly #limits: Limits
  readonly #questions: RateLimit
  readonly #numbers: RateLimit
  #stopping = new AbortController()

  constructor (components: PublicationComponents, init: PublicationInit) {
    super()
    this.#components = components
    this.#init = init
    this.#limits = { ...DEFAULT_LIMITS, ...init.limits }
    const { now = () => performance.now() } = init
    this.#questions = new RateLimit({ ...QUESTIONS, now })
    this.#numbers = new RateLimit({ ...NUMBERS, now })
    this.protocol = protocolId(init.federationId, 'publication', init.protocols)
  }

  async start (): Promise<void> {
    this.#stopping = new AbortController()
    const options = { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS, runOnLimitedConnection: false }
    await this.#components.registrar.handle(this.protocol, async (stream, connection) => {
      await this.#onStream(stream, connection)
    }, options)
  }

  async stop (): Promise<void> {
    await this.#components.registrar.unhandle(this.protocol)
    this.#stopping.abort(new UnreachableError('this node is stopping'))
  }

  /** What the peer shows, and the numbers of what is new of it. @throws UnreachableError, TimeoutError, ProtocolError. */
  async ask (peerId: PeerId, isNew: (item: Item) => boolean): ReturnType<typeof askPublications> {
    const stream = await openStream({
      connectionManager: this.#components.connectionManager,
      protocol: this.protocol,
      peerId,
      ms: this.#limits.dialMs,
      maxOutboundStreams: MAX_STREAMS,
      signals: [this.#stopping.signal]
    })
    return await this.#run(stream, peerId.toString(), async (talk) => await askPublications(this.#init.publications, { isNew }, talk))
  }

  async #onStream (stream: Stream, { remotePeer }: Connection): Promise<void> {
    const partner = remotePeer.toString()
    try {
      if (this.#questions.take(partner) > 0) throw new RefusedError('RATE_LIMITED')
      await this.#run(stream, partner, async (talk) => {
        await showPublications(this.#init.publications, {
          mayHave: ({ kind, digest }) => this.#numbers.take(`${partner} ${kind} ${digest}`) === 0,
          onSent: (sent) => { this.dispatchEvent(new CustomEvent('sent', { detail: { ...sent, partner } })) }
        }, talk)
      })
    } catch (error) {
      stream.abort(error as Error)
      this.dispatchEvent(new CustomEvent('failure', { detail: { partner, error: error as Error } }))
    }
  }

  async #run<T> (stream: Stream, partner: string, work: (talk: PublicationTalk) => Promise<T>): Promise<T> {
    const { progressMs } = this.#limits
    const frames = new Frames(stream)
    const ending = new AbortController()
    const totalMs = this.#totalMs()
    const timer = setTimeout(() => {
      ending.abort(new TimeoutError(`what ${partner} asked for or shows did not come within ${totalMs} ms`))
    }, totalMs)
    try {
      const result = await work({ frames, progressMs, signal: AbortSignal.any([this.#stopping.signal, ending.signal]) })
      frames.finish(progressMs)
      return result
    } catch (error) {
      frames.abort(error as Error)
      throw error
    } finally {
      clearTimeout(timer)
      this.dispatchEvent(new CustomEvent('bytes', { detail: { sent: frames.bytesSent } }))
    }
  }

  #totalMs (): number {
    return Math.max(this.#limits.leastTotalMs, Math.ceil(4 * this.#init.publications.most / SLOWEST))
  }
}
