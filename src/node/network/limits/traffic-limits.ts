import type { ConnectionEncrypter, MessageStream, Stream, StreamMessageEvent, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { RateLimit } from '../../../common/rate-limit.ts'
import { BAN_POINTS, type Offences } from './offences.ts'

/** What one peer may use, over all its connections: sustained per second, and at once after a quiet time. */
const BUDGETS = {
  /** Streams that it opens, of whatever protocol. */
  streams: { perSecond: 20, burst: 200 },
  /** KiB on streams other than exchanges of vectors, whose size the schema fixes. */
  controlKiB: { perSecond: 256, burst: 4_096 },
  /** Small messages on its connections (pings, window updates, control frames) beyond one for each large one. */
  smallFrames: { perSecond: 200, burst: 2_000 }
} as const

/** Streams that one connection may have open in each direction. */
export const MAX_STREAMS = 128
const SMALL_BYTES = 1_024
// Large messages count for this many small ones at most.
const MOST_CREDIT = 1_000
const KIB = 1_024
const BULK = /\/adapter-exchange\/\d/

/** Watches every connection from inside the encryption and charges what comes to the peer's budgets; who overdraws them is cut off. */
export class TrafficLimits {
  readonly #offences: Offences
  readonly #streams: RateLimit
  readonly #controlKiB: RateLimit
  readonly #smallFrames: RateLimit
  readonly #rootOf: (peer: string) => string
  readonly #peers = new WeakMap<MessageStream, string>()

  /** `rootOf`: what a peer is counted by. */
  constructor (offences: Offences, now: () => number, rootOf: (peer: string) => string = (peer) => peer) {
    this.#offences = offences
    this.#rootOf = rootOf
    this.#streams = new RateLimit({ ...BUDGETS.streams, now })
    this.#controlKiB = new RateLimit({ ...BUDGETS.controlKiB, now })
    this.#smallFrames = new RateLimit({ ...BUDGETS.smallFrames, now })
  }

  readonly encrypter = (inner: ConnectionEncrypter): ConnectionEncrypter => ({
    protocol: inner.protocol,
    secureOutbound: async (connection, options) => this.#watch(await inner.secureOutbound(connection, options)),
    secureInbound: async (connection, options) => this.#watch(await inner.secureInbound(connection, options))
  })

  readonly muxer = (inner: StreamMuxerFactory): StreamMuxerFactory => ({
    protocol: inner.protocol,
    createStreamMuxer: (connection) => this.#watchMuxer(inner.createStreamMuxer(connection), this.#peers.get(connection) ?? 'unknown')
  })

  #watch (secured: Awaited<ReturnType<ConnectionEncrypter['secureInbound']>>): typeof secured {
    const peer = secured.remotePeer.toString()
    this.#peers.set(secured.connection, peer)
    let credit = 0
    onEvent(secured.connection, 'message', ({ data }: StreamMessageEvent) => {
      if (data.byteLength >= SMALL_BYTES) credit = Math.min(MOST_CREDIT, credit + 1)
      else if (credit > 0) credit--
      else if (this.#isOver(peer)) this.#offences.add(peer, BAN_POINTS, 'sends more messages than any honest site')
    })
    return secured
  }

  #isOver (peer: string): boolean {
    return this.#smallFrames.take(this.#rootOf(peer)) > 0
  }

  #watchMuxer (muxer: StreamMuxer, peer: string): StreamMuxer {
    onEvent(muxer, 'stream', ({ detail }: CustomEvent<Stream>) => {
      this.#watchStream(detail, peer)
      if (this.#streams.take(this.#rootOf(peer)) === 0) return
      detail.abort(new Error('too many streams'))
      this.#offences.add(peer, 1, 'opens more streams than any honest site')
    })
    const open = muxer.createStream.bind(muxer)
    muxer.createStream = async (options) => this.#watchStream(await open(options), peer)
    return muxer
  }

  #watchStream (stream: Stream, peer: string): Stream {
    let unpaid = 0
    onEvent(stream, 'message', ({ data }: StreamMessageEvent) => {
      if (BULK.test(stream.protocol)) return
      unpaid += data.byteLength
      const wholeKiB = Math.floor(unpaid / KIB)
      unpaid -= wholeKiB * KIB
      if (this.#controlKiB.take(this.#rootOf(peer), wholeKiB) > 0) {
        this.#offences.add(peer, BAN_POINTS, `sends more on ${shortName(stream.protocol)} than any honest site`)
      }
    })
    return stream
  }
}

/**
 * Sees events as they are dispatched. A listener would not do: from the first one on streams and muxers no longer keep what comes until
 * their reader is there.
 */
function onEvent<E extends Event> (target: { dispatchEvent (event: Event): boolean }, type: string, see: (event: E) => void): void {
  const dispatch = target.dispatchEvent.bind(target)
  target.dispatchEvent = (event) => {
    if (event.type === type) see(event as E)
    return dispatch(event)
  }
}

function shortName (protocol: string): string {
  return protocol === '' ? 'unnegotiated streams' : protocol.split('/').slice(-2).join('/').slice(0, 60)
}
