import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { ProtocolError, UnreachableError } from '../../errors.ts'
import { FrameDecoder } from './frame-decoder.ts'

/** Bytes held before the stream is paused, which makes the partner stop, and before it goes on. */
const HIGH_WATER = 4_194_304
const LOW_WATER = 1_048_576
/** What may still be under way when a stream is paused: yamux's largest receive window. */
const MAX_IN_FLIGHT = 16_777_216 + HIGH_WATER

/**
 * The frames of a stream as they come, with back-pressure (the stream's own iterator and lpStream have none and fail when the reader is
 * slow). What came before the end or a reset is still delivered.
 */
export class Inbox {
  readonly #stream: Stream
  readonly #decoder = new FrameDecoder()
  #failure: Error | undefined
  #wake = Promise.withResolvers<void>()

  constructor (stream: Stream) {
    this.#stream = stream
    stream.maxReadBufferLength = MAX_IN_FLIGHT
    const wake = (): void => { this.#wake.resolve() }
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
      if (data instanceof Uint8Array) this.#decoder.push(data)
      else for (const piece of data) this.#decoder.push(piece)
      // Not within the event: resume() hands on what has accumulated and then opens the window again, whatever its listeners did meanwhile.
      queueMicrotask(() => { if (this.#decoder.held > HIGH_WATER && stream.readStatus === 'readable') stream.pause() })
      wake()
    })
    stream.addEventListener('close', ({ error }: StreamCloseEvent) => {
      this.#failure = error
      wake()
    })
    stream.addEventListener('remoteCloseWrite', wake)
  }

  /** The next frame if it has come. ProtocolError for one over `cap`. */
  take (cap: number): Uint8Array | undefined {
    const frame = this.#decoder.next(cap)
    if (this.#decoder.held <= LOW_WATER && this.#stream.readStatus === 'paused') this.#stream.resume()
    return frame
  }

  /**
   * The next frame; undefined when the partner ended its side. UnreachableError when it reset the stream, ProtocolError for a frame
   * over `cap` or an unfinished one.
   */
  async next (cap: number): Promise<Uint8Array | undefined> {
    for (;;) {
      this.#wake = Promise.withResolvers<void>()
      const frame = this.take(cap)
      if (frame != null) return frame
      if (this.#failure != null) throw new UnreachableError(`the partner went away: ${this.#failure.message}`)
      if (this.#hasEnded()) {
        if (this.#decoder.isBetween) return undefined
        throw new ProtocolError('a malformed frame: the partner ended the stream in its middle')
      }
      await this.#wake.promise
    }
  }

  #hasEnded (): boolean {
    const { status, remoteWriteStatus, readBufferLength } = this.#stream
    return (status !== 'open' && status !== 'closing') || (remoteWriteStatus === 'closed' && readBufferLength === 0)
  }
}
