import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { UnreachableError } from '../../errors.ts'

/** Bytes held before the stream is paused, which makes the partner stop: two chunks. */
const HIGH_WATER = 524_288
/** What may still be under way when a stream is paused: yamux's largest receive window. */
const MAX_IN_FLIGHT = 16_777_216 + HIGH_WATER

/**
 * The bytes of a stream as they come, with back-pressure (the stream's own iterator and lpStream have none and fail when the reader is slow).
 * Ends when the partner closes its side; UnreachableError when the stream is reset. Bytes that came before either are still delivered.
 */
export async function * inbox (stream: Stream): AsyncGenerator<Uint8ArrayList> {
  let held = new Uint8ArrayList()
  let failure: Error | undefined
  let wake = Promise.withResolvers<void>()
  const onMessage = ({ data }: StreamMessageEvent): void => {
    held.append(data)
    if (held.byteLength > HIGH_WATER && stream.readStatus === 'readable') stream.pause()
    wake.resolve()
  }
  const onClose = ({ error }: StreamCloseEvent): void => {
    failure = error
    wake.resolve()
  }
  const onEnd = (): void => { wake.resolve() }
  stream.maxReadBufferLength = MAX_IN_FLIGHT
  stream.addEventListener('message', onMessage)
  stream.addEventListener('close', onClose)
  stream.addEventListener('remoteCloseWrite', onEnd)
  try {
    for (;;) {
      wake = Promise.withResolvers<void>()
      if (held.byteLength > 0) {
        const bytes = held
        held = new Uint8ArrayList()
        yield bytes
        continue
      }
      if (stream.readStatus === 'paused') stream.resume()
      if (held.byteLength > 0) continue
      if (failure != null) throw new UnreachableError(`the partner went away: ${failure.message}`)
      if (stream.status !== 'open' && stream.status !== 'closing') return
      if (stream.remoteWriteStatus === 'closed' && stream.readBufferLength === 0) return
      await wake.promise
    }
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('close', onClose)
    stream.removeEventListener('remoteCloseWrite', onEnd)
  }
}
