import { createHash } from 'node:crypto'
import { breather, runInSlices } from '../../common/slices.ts'
import type { Frames } from '../shared/frames.ts'
import type { Limits } from './limits.ts'
import { checkTrailer, encodeTrailer, MAX_MESSAGE_BYTES } from './messages.ts'
import type { OpenExchange } from './port.ts'

/** What is known of one exchange so far, whatever becomes of it: SHA-256 of each vector's chunks, once all of it was sent or had come. */
export interface Trace {
  exchangeId?: string
  sentDigest?: string
  receivedDigest?: string
}

/** One exchange's surroundings at either side. */
export interface ExchangeContext {
  readonly frames: Frames
  readonly limits: Limits
  readonly signal: AbortSignal
  readonly trace: Trace
}

/** Both sides stream at once: sends the released vector, forms the difference from the partner's, and leaves the exchange verified. */
export async function swapVectors (exchange: OpenExchange, session: ExchangeContext): Promise<void> {
  await runInSlices(exchange.prepare(), session)
  await Promise.all([sendVector(exchange, session), receiveVector(exchange, session)])
  exchange.verify()
}

async function sendVector (exchange: OpenExchange, { frames, limits, signal, trace }: ExchangeContext): Promise<void> {
  const limit = { ms: limits.progressMs, what: 'room for the next chunk', signal }
  const hash = createHash('sha256')
  const breathe = breather()
  for (const index of exchange.chunks.keys()) {
    const bytes = exchange.outgoing(index)
    hash.update(bytes)
    await frames.write(bytes, limit)
    await breathe()
  }
  const digest = hash.digest()
  trace.sentDigest = digest.toString('hex')
  await frames.write(encodeTrailer(digest), limit)
}

async function receiveVector (exchange: OpenExchange, { frames, limits, signal, trace }: ExchangeContext): Promise<void> {
  const hash = createHash('sha256')
  const breathe = breather()
  for (const [index, chunk] of exchange.chunks.entries()) {
    const bytes = await frames.read(chunk.bytes, { ms: index === 0 ? limits.firstByteMs : limits.progressMs, what: 'chunk', signal })
    hash.update(bytes)
    exchange.receive(bytes)
    await breathe()
  }
  const digest = hash.digest()
  trace.receivedDigest = digest.toString('hex')
  checkTrailer(await frames.read(MAX_MESSAGE_BYTES, { ms: limits.progressMs, what: 'trailer', signal }), digest)
}
