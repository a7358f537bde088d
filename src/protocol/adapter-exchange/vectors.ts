import { createHash } from 'node:crypto'
import { ProtocolError } from '../../errors.ts'
import type { Frames } from '../shared/frames.ts'
import { nextTurn, runInSlices } from '../shared/slices.ts'
import { chunkRanges, decodeChunk, encodeChunk } from './chunks.ts'
import type { Limits } from './limits.ts'
import { checkTrailer, encodeTrailer, MAX_MESSAGE_BYTES } from './messages.ts'
import type { OpenExchange } from './port.ts'

/** One exchange's surroundings at either side. */
export interface Session {
  readonly frames: Frames
  readonly limits: Limits
  /** Floats in the schema. */
  readonly size: number
  readonly signal: AbortSignal
}

/** Both sides stream at once: sends the released vector, forms the difference from the partner's, and leaves the exchange verified. */
export async function swapVectors (exchange: OpenExchange, session: Session): Promise<void> {
  await runInSlices(exchange.prepare(), session)
  await Promise.all([sendVector(exchange, session), receiveVector(exchange, session)])
  exchange.verify()
}

async function sendVector (exchange: OpenExchange, { frames, limits, size, signal }: Session): Promise<void> {
  const limit = { ms: limits.progressMs, what: 'room for the next chunk', signal }
  const hash = createHash('sha256')
  for (const { begin, end } of chunkRanges(size)) {
    const bytes = encodeChunk(exchange.outgoing(begin, end))
    hash.update(bytes)
    await frames.write(bytes, limit)
    await nextTurn()
  }
  await frames.write(encodeTrailer(hash.digest()), limit)
}

async function receiveVector (exchange: OpenExchange, { frames, limits, size, signal }: Session): Promise<void> {
  const hash = createHash('sha256')
  for (const { begin, end } of chunkRanges(size)) {
    const expected = 4 * (end - begin)
    const bytes = await frames.read(expected, { ms: begin === 0 ? limits.firstByteMs : limits.progressMs, what: 'chunk', signal })
    if (bytes.length !== expected) throw new ProtocolError(`a chunk of ${bytes.length} bytes where the schema says ${expected}`)
    hash.update(bytes)
    exchange.receive(decodeChunk(bytes))
    await nextTurn()
  }
  checkTrailer(await frames.read(MAX_MESSAGE_BYTES, { ms: limits.progressMs, what: 'trailer', signal }), hash.digest())
}
