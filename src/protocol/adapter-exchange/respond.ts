import { checkCommit, decodeOffer, encodeAnswer, encodeCommitted, MAX_MESSAGE_BYTES, type Reason } from './messages.ts'
import type { Averaging, OpenExchange, Outcome } from './port.ts'
import { swapVectors, type Session } from './vectors.ts'

export interface Responding {
  readonly self: string
  readonly partner: string
  /** Milliseconds until the partner may offer again; 0 now. */
  readonly rateLimited: () => number
  /** Milliseconds after which a busy site may be asked again. */
  readonly retryHint: () => number
}

/** `withdrawn`: the partner opened the stream and found that it has nothing to offer, being busy by then. */
export type Response = { readonly outcome: Outcome } | { readonly refused: Reason } | { readonly withdrawn: true }

/** The responder's side: it alone decides, and has applied the difference before it says Committed. */
export async function respond (averaging: Averaging, { self, partner, rateLimited, retryHint }: Responding, session: Session): Promise<Response> {
  const { frames, limits, signal } = session
  const first = await frames.readUnlessEnded(MAX_MESSAGE_BYTES, { ms: limits.firstByteMs, what: 'offer', signal })
  if (first == null) return { withdrawn: true }
  const { exchangeId, offer } = decodeOffer(first)
  const room = { ms: limits.progressMs, what: 'room for the answer', signal }
  const waitMs = rateLimited()
  const answer = waitMs > 0 ? { refused: 'RATE_LIMITED' as const } : averaging.answer({ self, partner, offer })
  if ('refused' in answer) {
    const retryAfterMs = waitMs > 0 ? waitMs : retryHint()
    await frames.write(encodeAnswer(exchangeId, { refused: answer.refused, retryAfterMs }), room)
    return { refused: answer.refused }
  }
  const { exchange } = answer
  try {
    await frames.write(encodeAnswer(exchangeId, { accepted: exchange.terms }), room)
    return { outcome: await swapAndCommit(exchange, exchangeId, session) }
  } catch (error) {
    exchange.abort()
    throw error
  }
}

async function swapAndCommit (exchange: OpenExchange, exchangeId: Uint8Array, session: Session): Promise<Outcome> {
  const { frames, limits, signal } = session
  await swapVectors(exchange, session)
  checkCommit(await frames.read(MAX_MESSAGE_BYTES, { ms: limits.progressMs, what: 'Commit', signal }), exchangeId)
  const outcome = exchange.commit()
  // What was decided stands, whether or not the partner can be told: it then ends in doubt.
  await frames.write(encodeCommitted(exchangeId), { ms: limits.progressMs, what: 'room for Committed', signal }).catch(() => {})
  return outcome
}
