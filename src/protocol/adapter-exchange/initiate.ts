import { RefusedError } from '../../errors.ts'
import { checkCommitted, decodeAnswer, encodeCommit, encodeOffer, encodeSettled, MAX_MESSAGE_BYTES } from './messages.ts'
import type { AveragingPort, OpenExchange, CommittedExchange, Offer } from './port.ts'
import { swapVectors, type ExchangeContext } from './vectors.ts'

export interface Initiating {
  readonly partner: string
  readonly exchangeId: string
  /** Take the partner's x and round over. */
  readonly catchUp: boolean
  /** But no later round. */
  readonly upTo?: number | undefined
  /** The partner says that it is in this round. */
  readonly onRound?: ((round: number) => void) | undefined
  /** The exchange failed after Commit had left. */
  readonly onDoubt: () => void
}

/**
 * The initiator's side on a fresh stream.
 * @throws RefusedError (the partner's reason, or BUSY_HERE, PAUSED_HERE, IN_DOUBT_HERE, YIELDED of this side), ProtocolError,
 * TimeoutError, UnreachableError.
 */
export async function initiate (
  averaging: AveragingPort,
  { partner, exchangeId, catchUp, upTo, onDoubt, onRound }: Initiating,
  session: ExchangeContext
): Promise<CommittedExchange> {
  const { exchange, offer } = averaging.offer(partner, exchangeId, { catchUp, ...(upTo == null ? {} : { upTo }) })
  session.trace.exchangeId = exchangeId
  try {
    await negotiate(exchange, offer, session, onRound)
    await swapVectors(exchange, session)
    return await commit(exchange, session)
  } catch (error) {
    if (exchange.phase === 'committing') onDoubt()
    exchange.abort()
    throw error
  }
}

async function negotiate (
  exchange: OpenExchange,
  offer: Offer,
  { frames, limits, signal }: ExchangeContext,
  onRound: Initiating['onRound']
): Promise<void> {
  await frames.write(encodeOffer(offer), { ms: limits.progressMs, what: 'room for the offer', signal })
  const answer = decodeAnswer(await frames.read(MAX_MESSAGE_BYTES, { ms: limits.firstByteMs, what: 'answer', signal }), offer)
  const round = 'accepted' in answer ? answer.accepted.round : answer.round
  if (round != null) onRound?.(round)
  if (exchange.phase !== 'offered') throw new RefusedError('YIELDED')
  if ('refused' in answer) throw new RefusedError(answer.refused, answer.retryAfterMs)
  exchange.open(answer.accepted, answer.codec)
}

async function commit (exchange: OpenExchange, { frames, limits, signal }: ExchangeContext): Promise<CommittedExchange> {
  await exchange.committing()
  await frames.write(encodeCommit(exchange.id), { ms: limits.progressMs, what: 'room for Commit', signal })
  const bytes = await frames.read(MAX_MESSAGE_BYTES, { ms: limits.progressMs, what: 'Committed', signal })
  checkCommitted(bytes, exchange.id)
  const outcome = await exchange.commit()
  // The responder that does not hear it keeps the outcome until it hears of a later one.
  await frames.write(encodeSettled(exchange.id), { ms: limits.progressMs, what: 'room for Settled', signal }).catch(() => {})
  return outcome
}
