import { RefusedError } from '../../errors.ts'
import { checkCommitted, decodeAnswer, encodeCommit, encodeOffer, MAX_MESSAGE_BYTES } from './messages.ts'
import type { Averaging, OpenExchange, Outcome, Offer } from './port.ts'
import { swapVectors, type Session } from './vectors.ts'

export interface Initiating {
  readonly partner: string
  readonly exchangeId: Uint8Array
  /** The exchange failed after Commit had left. */
  readonly onDoubt: () => void
}

/**
 * The initiator's side on a fresh stream.
 * @throws RefusedError (the partner's reason, or BUSY_HERE, PAUSED_HERE, YIELDED of this side), ProtocolError, TimeoutError, UnreachableError.
 */
export async function initiate (averaging: Averaging, { partner, exchangeId, onDoubt }: Initiating, session: Session): Promise<Outcome> {
  const { exchange, offer } = averaging.offer(partner)
  try {
    await negotiate(exchange, offer, exchangeId, session)
    await swapVectors(exchange, session)
    return await commit(exchange, exchangeId, session)
  } catch (error) {
    if (exchange.phase === 'committing') onDoubt()
    exchange.abort()
    throw error
  }
}

async function negotiate (exchange: OpenExchange, offer: Offer, exchangeId: Uint8Array, { frames, limits, signal }: Session): Promise<void> {
  await frames.write(encodeOffer(exchangeId, offer), { ms: limits.progressMs, what: 'room for the offer', signal })
  const answer = decodeAnswer(await frames.read(MAX_MESSAGE_BYTES, { ms: limits.firstByteMs, what: 'answer', signal }), exchangeId)
  if (exchange.phase !== 'offered') throw new RefusedError('YIELDED')
  if ('refused' in answer) throw new RefusedError(answer.refused, answer.retryAfterMs)
  exchange.open(answer.accepted)
}

async function commit (exchange: OpenExchange, exchangeId: Uint8Array, { frames, limits, signal }: Session): Promise<Outcome> {
  exchange.committing()
  await frames.write(encodeCommit(exchangeId), { ms: limits.progressMs, what: 'room for Commit', signal })
  const bytes = await frames.read(MAX_MESSAGE_BYTES, { ms: limits.progressMs, what: 'Committed', signal })
  checkCommitted(bytes, exchangeId)
  return exchange.commit()
}
