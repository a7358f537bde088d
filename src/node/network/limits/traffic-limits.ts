import type { ConnectionEncrypter, MessageStream, Stream, StreamMessageEvent, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { LRUCache } from 'lru-cache'
import { RateLimit } from '../../../common/rate-limit.ts'
import { BAN_POINTS, type Offences } from './offences.ts'

/** What one peer may use, over all its connections: sustained per second, and at once after a quiet time. */
const BUDGETS = {
  /** Streams that it opens, of whatever protocol. */
  streams: { perSecond: 20, burst: 200 },
  /** KiB on streams other than exchanges of vectors, whose size the schema fixes. */
  controlKiB: { perSecond: 256, burst: 4_096 },
  /** Small messages on its connections (pings, window updates, control frames) beyond one for each large one. */
  smallFrames: { perSecond: 200, burst: 2_000 },
  /** The same of a peer that passes connections of others on, which are watched for themselves. */
  relayedFrames: { perSecond: 6_400, burst: 64_000 }
} as const

/** Of what one member has passed on, KiB: sustained per second, and at once after a quiet time; what is beyond waits. */
const RELAYED = { perSecond: 8_192, burst: 65_536 } as const
const HOP = /^\/libp2p\/circuit\/relay\/[\d.]+\/hop$/
const STOP = /^\/libp2p\/circuit\/relay\/[\d.]+\/stop$/

/** Streams that one connection may have open in each direction. */
export const MAX_STREAMS = 128
const SMALL_BYTES = 1_024
// Large messages count for this many small ones at most.
const MOST_CREDIT = 1_000
const KIB = 1_024
const MOST = 1_024
const BULK = /\/(adapter-exchange|group-average)\/\d/

/** Watches every connection from inside the encryption and charges what comes to the peer's budgets; who overdraws them is cut off. */
export class TrafficLimits {
  readonly #offences: Offences
  readonly #streams: RateLimit
  readonly #controlKiB: RateLimit
  readonly #smallFrames: RateLimit
  readonly #relayedFrames: RateLimit
  readonly #rootOf: (peer: string) => string
  readonly #isRelaying: (peer: string) => boolean
  readonly #now: () => number
  /** KiB that each member may have passed on at once; below 0 it waits. */
  readonly #relayed = new LRUCache<string, { kib: number, at: number }>({ max: MOST })
  /** Bytes passed on for others since the start. */
  relayedBytes = 0
  readonly #peers = new WeakMap<MessageStream, string>()

  /** `rootOf`: what a peer is counted by. `isRelaying`: whether this site is connected to others through it. */
  constructor (
    offences: Offences,
    now: () => number,
    rootOf: (peer: string) => string = (peer) => peer,
    isRelaying: (peer: string) => boolean = () => false
  ) {
    this.#offences = offences
    this.#rootOf = rootOf
    this.#isRelaying = isRelaying
    this.#now = now
    this.#relayedFrames = new RateLimit({ ...BUDGETS.relayedFrames, now })
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
    const root = this.#rootOf(peer)
    if (this.#smallFrames.take(root) === 0) return false
    return !this.#isRelaying(peer) || this.#relayedFrames.take(root) > 0
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
      if (HOP.test(stream.protocol) || STOP.test(stream.protocol)) {
        if (isPassedOn(stream)) this.#passOn(stream, peer, data.byteLength)
        return
      }
      unpaid += data.byteLength
      const wholeKiB = Math.floor(unpaid / KIB)
      unpaid -= wholeKiB * KIB
      if (this.#controlKiB.take(this.#rootOf(peer), wholeKiB) > 0) {
        this.#offences.add(peer, BAN_POINTS, `sends more on ${shortName(stream.protocol)} than any honest site`)
      }
    })
    return stream
  }

  /** Whoever has more passed on than its budget waits, and its partner with it; nobody is cut off for it. */
  #passOn (stream: Stream, peer: string, bytes: number): void {
    const [root, at] = [this.#rootOf(peer), this.#now()]
    const before = this.#relayed.get(root) ?? { kib: RELAYED.burst, at }
    const kib = Math.min(RELAYED.burst, before.kib + (at - before.at) * RELAYED.perSecond / 1_000) - bytes / KIB
    this.#relayed.set(root, { kib, at })
    this.relayedBytes += bytes
    if (kib >= 0) return
    // Not within the event: resume() hands on what has accumulated meanwhile.
    queueMicrotask(() => {
      if (stream.readStatus !== 'readable') return
      stream.pause()
      setTimeout(() => { if (stream.readStatus === 'paused') stream.resume() }, -kib * 1_000 / RELAYED.perSecond)
    })
  }
}

/** This site is the relay: it was asked to connect, or asked another to take a connection. */
function isPassedOn ({ protocol, direction }: Stream): boolean {
  return HOP.test(protocol) ? direction === 'inbound' : direction === 'outbound'
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
