import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { ProtocolError, UnreachableError } from '../../errors.ts'
import { Inbox } from './inbox.ts'
import { within, type Limit } from './within.ts'

/** Bytes that wait for the network before a writer waits too. */
const HIGH_WATER = 262_144

/** Length-prefixed frames on one stream: every read is capped, every wait limited, bytes are counted with their prefixes. */
export class Frames {
  readonly #stream: Stream
  readonly #inbox: Inbox
  bytesSent = 0
  bytesReceived = 0

  constructor (stream: Stream) {
    this.#stream = stream
    this.#inbox = new Inbox(stream)
  }

  /** The next frame, of at most `cap` bytes; one over 64 KiB is good until the next read. */
  async read (cap: number, limit: Limit): Promise<Uint8Array> {
    const frame = await this.readUnlessEnded(cap, limit)
    if (frame == null) throw new ProtocolError(`the partner ended the stream before its ${limit.what}`)
    return frame
  }

  /** The same, where the partner may also have nothing more to say: undefined. */
  async readUnlessEnded (cap: number, limit: Limit): Promise<Uint8Array | undefined> {
    limit.signal?.throwIfAborted()
    const frame = this.#inbox.take(cap) ?? await within(this.#inbox.next(cap), limit)
    if (frame != null) this.bytesReceived += frame.length + prefixLength(frame.length)
    return frame
  }

  /** Resolves when the stream takes more; `bytes` must not change until they are sent. */
  async write (bytes: Uint8Array, limit: Limit): Promise<void> {
    limit.signal?.throwIfAborted()
    const frame = encode.single(bytes)
    try {
      this.#stream.send(frame)
    } catch (error) {
      throw new UnreachableError(`the partner went away: ${(error as Error).message}`)
    }
    this.bytesSent += frame.byteLength
    if (this.#stream.writeBufferLength > HIGH_WATER) await within(this.#room(), limit)
  }

  /** Lets what was sent reach the partner, in the background; a partner that does not end its side in time is cut off. */
  finish (ms: number): void {
    this.#finish(ms).catch((error: unknown) => { this.abort(error as Error) })
  }

  /** Resets the stream. */
  abort (error: Error): void {
    this.#stream.abort(error)
  }

  /** The stream's own onDrain resolves at once after its first use, so this listens itself. */
  async #room (): Promise<void> {
    const stream = this.#stream
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // What drained is sent in a microtask after the event.
    const look = (): void => { queueMicrotask(() => { if (stream.writeBufferLength <= HIGH_WATER) resolve() }) }
    const onClose = (): void => { reject(new UnreachableError('the partner went away')) }
    stream.addEventListener('drain', look)
    stream.addEventListener('idle', look)
    stream.addEventListener('close', onClose)
    look()
    try {
      await promise
    } finally {
      stream.removeEventListener('drain', look)
      stream.removeEventListener('idle', look)
      stream.removeEventListener('close', onClose)
    }
  }

  async #finish (ms: number): Promise<void> {
    const closed = Promise.withResolvers<void>()
    this.#stream.addEventListener('close', () => { closed.resolve() }, { once: true })
    await within(this.#stream.close(), { ms, what: 'end of the stream' })
    if (this.#stream.status === 'open' || this.#stream.status === 'closing') await within(closed.promise, { ms, what: 'end of the stream' })
  }
}

function prefixLength (bytes: number): number {
  return bytes < 128 ? 1 : bytes < 16_384 ? 2 : 3
}
