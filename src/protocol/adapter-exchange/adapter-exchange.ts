import { randomBytes } from 'node:crypto'
import { TypedEventEmitter, type AbortOptions, type Connection, type PeerId, type Startable, type Stream } from '@libp2p/interface'
import { RateLimit } from '../../common/rate-limit.ts'
import { RefusedError, TimeoutError, UnreachableError } from '../../errors.ts'
import { OutcomeService } from '../outcome/outcome.ts'
import type { SettledExchange } from '../outcome/talk.ts'
import { openStream } from '../shared/dial.ts'
import { Frames } from '../shared/frames.ts'
import { Tally } from '../shared/tally.ts'
import { protocolId } from '../versions.ts'
import { initiate } from './initiate.ts'
import { DEFAULT_LIMITS, Rates, type Limits } from './limits.ts'
import { ID_BYTES, type RefusalReason } from './messages.ts'
import type { CommittedExchange } from './port.ts'
import { respond } from './respond.ts'
import type {
  AdapterExchange,
  AdapterExchangeComponents,
  AdapterExchangeEvents,
  AdapterExchangeInit,
  ExchangeFailure,
  ExchangeOptions,
  ExchangeReport
} from './types.ts'
import type { ExchangeContext, Trace } from './vectors.ts'

/** Per connection: one that exchanges, and some that are told BUSY. */
const MAX_STREAMS = 4
const OFFERS_PER_SECOND = 5
const OFFER_BURST = 20
const RETRY_MS = { least: 50, most: 10_000, first: 200 }
const FINISH_MS = 5_000

/** Filled while it runs, for whoever must say what left the building. */
interface Run {
  readonly trace: Trace
  frames?: Frames
  begun?: number
}

export class AdapterExchangeService extends TypedEventEmitter<AdapterExchangeEvents> implements AdapterExchange, Startable {
  readonly protocol: string
  readonly #components: AdapterExchangeComponents
  readonly #init: AdapterExchangeInit
  readonly #limits: Limits
  readonly #rates = new Rates()
  readonly #offers: RateLimit
  readonly #outcome: OutcomeService
  readonly #tally = new Tally()
  #stopping = new AbortController()
  #started = false
  #lastMs = 2 * RETRY_MS.first

  constructor (components: AdapterExchangeComponents, init: AdapterExchangeInit) {
    super()
    this.#components = components
    this.#init = init
    this.#limits = { ...DEFAULT_LIMITS, ...init.limits }
    this.#offers = new RateLimit({ perSecond: init.offersPerSecond ?? OFFERS_PER_SECOND, burst: OFFER_BURST, now: () => performance.now() })
    this.protocol = protocolId(init.federationId, 'adapter-exchange', init.protocols)
    this.#outcome = new OutcomeService(components, { ...init, limits: this.#limits })
    this.#outcome.addEventListener('settled', ({ detail }: CustomEvent<SettledExchange>) => {
      this.dispatchEvent(new CustomEvent('settled', { detail }))
    })
    this.#outcome.addEventListener('failure', ({ detail }: CustomEvent<{ partner: string, error: Error }>) => {
      this.#failed({ ...detail, role: 'responder', inDoubt: false }, { trace: {} })
    })
  }

  isStarted (): boolean {
    return this.#started
  }

  async start (): Promise<void> {
    if (this.#started) return
    this.#started = true
    this.#stopping = new AbortController()
    const options = { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS, runOnLimitedConnection: false }
    await this.#components.registrar.handle(this.protocol, async (stream, connection) => {
      await this.#onStream(stream, connection)
    }, options)
    await this.#outcome.start()
  }

  async stop (): Promise<void> {
    if (!this.#started) return
    this.#started = false
    await this.#components.registrar.unhandle(this.protocol)
    await this.#outcome.stop()
    this.#stopping.abort(new UnreachableError('this node is stopping'))
  }

  async exchange (peerId: PeerId, { catchUp = false, upTo, ...options }: ExchangeOptions = {}): Promise<ExchangeReport> {
    const partner = peerId.toString()
    const run: Run = { trace: {} }
    let inDoubt = false
    const initiating = {
      partner,
      exchangeId: randomBytes(ID_BYTES).toString('hex'),
      catchUp,
      upTo,
      onDoubt: () => { inDoubt = true },
      onRound: this.#onRound(partner)
    }
    try {
      this.#checkFree()
      if (this.#init.averaging.doubts.has(partner)) await this.#outcome.settle(peerId)
      const stream = await this.#open(peerId, options)
      const outcome = await this.#run(
        { stream, partner, run },
        async (session) => await initiate(this.#init.averaging, initiating, session),
        options
      )
      return this.#committed(outcome, run)
    } catch (error) {
      if (!(error instanceof RefusedError)) this.#failed({ partner, role: 'initiator', error: error as Error, inDoubt }, run)
      throw error
    }
  }

  async settle (peerId: PeerId): Promise<void> {
    try {
      await this.#outcome.settle(peerId)
    } catch (error) {
      this.#failed({ partner: peerId.toString(), role: 'initiator', error: error as Error, inDoubt: false }, { trace: {} })
      throw error
    }
  }

  failuresOf (partner: string): Readonly<Record<string, number>> {
    return this.#tally.of(partner)
  }

  /** Spares the partner a stream; being busy or paused after it opened ends it without an offer. */
  #checkFree (): void {
    const { paused, busy } = this.#init.averaging
    if (paused) throw new RefusedError('PAUSED_HERE')
    if (busy) throw new RefusedError('BUSY_HERE', this.#retryHint())
  }

  #onRound (partner: string): (round: number) => void {
    return (round) => { this.dispatchEvent(new CustomEvent('round', { detail: { partner, round } })) }
  }

  #retryHint (): number {
    return Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, this.#lastMs / 2))
  }

  async #onStream (stream: Stream, { remotePeer }: Connection): Promise<void> {
    const partner = remotePeer.toString()
    const run: Run = { trace: {} }
    const responding = {
      self: this.#components.peerId.toString(),
      partner,
      isMember: () => this.#init.isMember?.(partner) ?? true,
      rateLimited: () => this.#offers.take(partner),
      retryHint: () => this.#retryHint(),
      onRound: this.#onRound(partner)
    }
    try {
      const result = await this.#run({ stream, partner, run }, async (session) => await respond(this.#init.averaging, responding, session))
      if ('outcome' in result) this.#committed(result.outcome, run)
      else if ('refused' in result) this.#refused(remotePeer, result.refused)
    } catch (error) {
      this.#failed({ partner, role: 'responder', error: error as Error, inDoubt: false }, run)
    }
  }

  async #open (peerId: PeerId, { signal }: AbortOptions): Promise<Stream> {
    return await openStream({
      connectionManager: this.#components.connectionManager,
      protocol: this.protocol,
      peerId,
      ms: this.#limits.dialMs,
      maxOutboundStreams: MAX_STREAMS,
      signals: signal == null ? [this.#stopping.signal] : [this.#stopping.signal, signal]
    })
  }

  /** Runs one side within the total time limit, counts its bytes, and ends the stream in every case. */
  async #run<T> (
    { stream, partner, run }: { stream: Stream, partner: string, run: Run },
    work: (session: ExchangeContext) => Promise<T>,
    { signal }: AbortOptions = {}
  ): Promise<T> {
    const { size } = this.#init.averaging.schema
    const frames = new Frames(stream)
    run.frames = frames
    run.begun = performance.now()
    const ending = new AbortController()
    const totalMs = this.#rates.totalMs(partner, 4 * size, this.#limits)
    const timer = setTimeout(() => {
      ending.abort(new TimeoutError(`the exchange with ${partner} did not end within ${Math.ceil(totalMs)} ms`))
    }, totalMs)
    const signals = [this.#stopping.signal, ending.signal, ...(signal == null ? [] : [signal])]
    try {
      const result = await work({ frames, limits: this.#limits, signal: AbortSignal.any(signals), trace: run.trace })
      frames.finish(FINISH_MS)
      return result
    } catch (error) {
      if (error instanceof RefusedError) frames.finish(FINISH_MS)
      else frames.abort(error as Error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #committed (outcome: CommittedExchange, { trace, frames, begun = 0 }: Run): ExchangeReport {
    const { bytesSent = 0, bytesReceived = 0 } = frames ?? {}
    const durationMs = performance.now() - begun
    const { sentDigest = '', receivedDigest = '' } = trace
    const report = { ...outcome, bytesSent, bytesReceived, durationMs, sentDigest, receivedDigest }
    this.#lastMs = durationMs
    this.#rates.observe(report.partner, bytesReceived, durationMs)
    this.dispatchEvent(new CustomEvent('exchange', { detail: report }))
    return report
  }

  #refused (peerId: PeerId, reason: RefusalReason): void {
    const partner = peerId.toString()
    this.dispatchEvent(new CustomEvent('refusal', { detail: { partner, reason } }))
    // It was refused because the last exchange with it is in doubt, and it can be reached now.
    if (this.#init.averaging.doubts.has(partner)) this.settle(peerId).catch(() => {})
  }

  #failed ({ error, ...detail }: Pick<ExchangeFailure, 'partner' | 'role' | 'error' | 'inDoubt'>, { trace, frames, begun }: Run): void {
    this.#tally.count(detail.partner, error.name)
    const { bytesSent = 0, bytesReceived = 0 } = frames ?? {}
    const durationMs = begun == null ? 0 : performance.now() - begun
    const failure = { ...detail, ...trace, durationMs, bytesSent, bytesReceived, error, reason: error.name }
    this.dispatchEvent(new CustomEvent('failure', { detail: failure }))
  }
}
