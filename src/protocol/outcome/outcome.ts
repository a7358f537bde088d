import { TypedEventEmitter, type Connection, type PeerId, type Startable, type Stream, type TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { RateLimit } from '../../common/rate-limit.ts'
import { RefusedError, TimeoutError, UnreachableError } from '../../errors.ts'
import { openStream } from '../shared/dial.ts'
import { Frames } from '../shared/frames.ts'
import { protocolId, type Protocols } from '../versions.ts'
import { askOutcome, tellOutcome, type SettledExchange, type OutcomePort, type Talk } from './talk.ts'

const MAX_STREAMS = 2
const QUERIES_PER_SECOND = 5
const QUERY_BURST = 20

export interface OutcomeEvents {
  /** An exchange in doubt that this site initiated is no longer. */
  settled: CustomEvent<SettledExchange>
  /** Somebody's question could not be answered. */
  failure: CustomEvent<{ readonly partner: string, readonly error: Error }>
}

export interface OutcomeInit {
  readonly federationId: string
  readonly averaging: OutcomePort
  readonly limits: { readonly dialMs: number, readonly progressMs: number, readonly leastTotalMs: number }
  readonly protocols?: Protocols | undefined
}

export interface OutcomeComponents {
  readonly registrar: Pick<Registrar, 'handle' | 'unhandle'>
  readonly connectionManager: Pick<ConnectionManager, 'openStream'>
}

/** `outcome/1.0.0`: settles exchanges in doubt (docs/spec/gossip.md#in-doubt). */
export class OutcomeService extends TypedEventEmitter<OutcomeEvents> implements Startable, TypedEventTarget<OutcomeEvents> {
  readonly protocol: string
  readonly #components: OutcomeComponents
  readonly #init: OutcomeInit
  readonly #queries = new RateLimit({ perSecond: QUERIES_PER_SECOND, burst: QUERY_BURST, now: () => performance.now() })
  readonly #asking = new Map<string, Promise<void>>()
  #stopping = new AbortController()

  constructor (components: OutcomeComponents, init: OutcomeInit) {
    super()
    this.#components = components
    this.#init = init
    this.protocol = protocolId(init.federationId, 'outcome', init.protocols)
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

  /**
   * Asks what became of the exchange in doubt with this partner, if there is one, and lets it forget what is settled; one question at a
   * time. @throws UnreachableError, TimeoutError, ProtocolError.
   */
  async settle (peerId: PeerId): Promise<void> {
    const partner = peerId.toString()
    const running = this.#asking.get(partner) ?? this.#ask(peerId).finally(() => { this.#asking.delete(partner) })
    this.#asking.set(partner, running)
    await running
  }

  async #ask (peerId: PeerId): Promise<void> {
    const { averaging, limits } = this.#init
    const stream = await openStream({
      connectionManager: this.#components.connectionManager,
      protocol: this.protocol,
      peerId,
      ms: limits.dialMs,
      maxOutboundStreams: MAX_STREAMS,
      signals: [this.#stopping.signal]
    })
    const settlement = await this.#run(stream, peerId.toString(), async (talk) => await askOutcome(averaging, talk))
    if (settlement != null) this.dispatchEvent(new CustomEvent('settled', { detail: settlement }))
  }

  async #onStream (stream: Stream, { remotePeer }: Connection): Promise<void> {
    const partner = remotePeer.toString()
    try {
      if (this.#queries.take(partner) > 0) throw new RefusedError('RATE_LIMITED')
      await this.#run(stream, partner, async (talk) => { await tellOutcome(this.#init.averaging, talk) })
    } catch (error) {
      stream.abort(error as Error)
      this.dispatchEvent(new CustomEvent('failure', { detail: { partner, error: error as Error } }))
    }
  }

  async #run<T> (stream: Stream, partner: string, work: (talk: Talk) => Promise<T>): Promise<T> {
    const { progressMs, leastTotalMs } = this.#init.limits
    const frames = new Frames(stream)
    const ending = new AbortController()
    const timer = setTimeout(() => {
      ending.abort(new TimeoutError(`the question of ${partner} did not end within ${leastTotalMs} ms`))
    }, leastTotalMs)
    try {
      const result = await work({ frames, partner, progressMs, signal: AbortSignal.any([this.#stopping.signal, ending.signal]) })
      frames.finish(progressMs)
      return result
    } catch (error) {
      frames.abort(error as Error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}
