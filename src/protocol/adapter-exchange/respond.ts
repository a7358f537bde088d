import { checkCommit, checkSettled, decodeOffer, encodeAnswer, encodeCommitted, MAX_MESSAGE_BYTES, type RefusalReason } from './messages.ts'
import type { AveragingPort, CommittedExchange, OpenExchange } from './port.ts'
import { swapVectors, type ExchangeContext } from './vectors.ts'

export interface Responding {
  readonly self: string
  readonly partner: string
  readonly isMember: () => boolean
  /** Milliseconds until the partner may offer again; 0 now. */
  readonly rateLimited: () => number
  /** Milliseconds after which a busy site may be asked again. */
  readonly retryHint: () => number
  /** The partner says that it is in this round. */
  readonly onRound?: ((round: number) => void) | undefined
}

/** `withdrawn`: the partner opened the stream and found that it has nothing to offer, being busy by then. */
export type Response = { readonly outcome: CommittedExchange } | { readonly refused: RefusalReason } | { readonly withdrawn: true }

/** The responder's side: it alone decides, and has applied the difference before it says Committed. */
export async function respond (
  averaging: AveragingPort,
  { self, partner, isMember, rateLimited, retryHint, onRound }: Responding,
  session: ExchangeContext
): Promise<Response> {
  const { frames, limits, signal } = session
  const first = await frames.readUnlessEnded(MAX_MESSAGE_BYTES, { ms: limits.firstByteMs, what: 'offer', signal })
  if (first == null) return { withdrawn: true }
  const offer = decodeOffer(first)
  onRound?.(offer.round)
  const room = { ms: limits.progressMs, what: 'room for the answer', signal }
  const waitMs = rateLimited()
  const limited = !isMember() ? 'NOT_MEMBER' as const : waitMs > 0 ? 'RATE_LIMITED' as const : undefined
  const answer = limited == null ? averaging.answer({ self, partner, offer }) : { refused: limited }
  if ('refused' in answer) {
    const retryAfterMs = waitMs > 0 ? waitMs : retryHint()
    await frames.write(encodeAnswer(offer.exchangeId, { refused: answer.refused, retryAfterMs, ...at(averaging) }), room)
    return { refused: answer.refused }
  }
  const { exchange } = answer
  session.trace.exchangeId = exchange.id
  try {
    await frames.write(encodeAnswer(exchange.id, { accepted: exchange.terms, codec: exchange.codec }), room)
    const outcome = await swapAndCommit(exchange, session)
    await conclude(averaging, outcome, session).catch(() => {})
    return { outcome }
  } catch (error) {
    exchange.abort()
    throw error
  }
}

/** A stale site learns from a refusal how far the others are, even where no announcement reaches it. */
function at ({ round }: Pick<AveragingPort, 'round'>): { readonly round?: number } {
  return round == null ? {} : { round }
}

async function swapAndCommit (exchange: OpenExchange, session: ExchangeContext): Promise<CommittedExchange> {
  const { frames, limits, signal } = session
  await swapVectors(exchange, session)
  checkCommit(await frames.read(MAX_MESSAGE_BYTES, { ms: limits.progressMs, what: 'Commit', signal }), exchange.id)
  return await exchange.commit()
}

/** What was decided stands, whether or not the partner can be told or answers: it then asks later. */
async function conclude (
  averaging: AveragingPort,
  { exchangeId, partner }: CommittedExchange,
  { frames, limits, signal }: ExchangeContext
): Promise<void> {
  await frames.write(encodeCommitted(exchangeId), { ms: limits.progressMs, what: 'room for Committed', signal })
  checkSettled(await frames.read(MAX_MESSAGE_BYTES, { ms: limits.progressMs, what: 'Settled', signal }), exchangeId)
  await averaging.acknowledged(exchangeId, partner)
}
