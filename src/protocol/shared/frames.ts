import type { Stream } from '@libp2p/interface'
import { decode, encode } from 'it-length-prefixed'
import type { Uint8ArrayList } from 'uint8arraylist'
import { ProtocolError, UnreachableError } from '../../errors.ts'
import { inbox } from './inbox.ts'
import { within, type Limit } from './within.ts'

/** No frame of any protocol is larger: one chunk. */
export const MAX_FRAME_BYTES = 262_144
/** Bytes of the length prefix of the largest frame. */
const MAX_LENGTH_BYTES = 3

/** One frame after another; `cap()` is asked for the largest that is acceptable next. ProtocolError for a longer one or an unfinished one. */
export async function * readFrames (source: AsyncIterable<Uint8ArrayList>, cap: () => number): AsyncGenerator<Uint8ArrayList> {
  const onLength = (length: number): void => {
    if (length > cap()) throw new ProtocolError(`a frame of ${length} bytes where at most ${cap()} are expected`)
  }
  try {
    yield * decode(source, { maxDataLength: MAX_FRAME_BYTES, maxLengthLength: MAX_LENGTH_BYTES, onLength })
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof UnreachableError) throw error
    throw new ProtocolError(`a malformed frame: ${(error as Error).message}`)
  }
}

/** Length-prefixed frames on one stream: every read is capped, every wait limited, bytes are counted with their prefixes. */
export class Frames {
  readonly #stream: Stream
  readonly #incoming: AsyncGenerator<Uint8ArrayList>
  #cap = 0
  bytesSent = 0
  bytesReceived = 0

  constructor (stream: Stream) {
    this.#stream = stream
    this.#incoming = readFrames(inbox(stream), () => this.#cap)
  }

  /** The next frame, of at most `cap` bytes. */
  async read (cap: number, limit: Limit): Promise<Uint8Array> {
    const frame = await this.readUnlessEnded(cap, limit)
    if (frame == null) throw new ProtocolError(`the partner ended the stream before its ${limit.what}`)
    return frame
  }

  /** The same, where the partner may also have nothing more to say: undefined. */
  async readUnlessEnded (cap: number, limit: Limit): Promise<Uint8Array | undefined> {
    this.#cap = cap
    const next = await within(this.#incoming.next(), limit)
    if (next.done === true) return undefined
    this.bytesReceived += next.value.byteLength + prefixLength(next.value.byteLength)
    return next.value.subarray()
  }

  /** Resolves when the stream takes more. */
  async write (bytes: Uint8Array, limit: Limit): Promise<void> {
    limit.signal?.throwIfAborted()
    const frame = encode.single(bytes)
    let canSendMore: boolean
    try {
      canSendMore = this.#stream.send(frame)
    } catch (error) {
      throw new UnreachableError(`the partner went away: ${(error as Error).message}`)
    }
    this.bytesSent += frame.byteLength
    if (!canSendMore) await within(this.#stream.onDrain(), limit).catch(asUnreachable)
  }

  /** Lets what was sent reach the partner, in the background; a partner that does not end its side in time is cut off. */
  finish (ms: number): void {
    this.#finish(ms).catch((error: unknown) => { this.abort(error as Error) })
  }

  /** Resets the stream. */
  abort (error: Error): void {
    this.#stream.abort(error)
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

function asUnreachable (error: Error): never {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') throw error
  throw new UnreachableError(`the partner went away: ${error.message}`)
}
