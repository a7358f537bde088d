import type { Frames } from '../shared/frames.ts'
import {
  type Decision,
  decodeAcknowledgement,
  decodeQuery,
  decodeReply,
  encodeAcknowledgement,
  encodeQuery,
  encodeReply,
  MAX_OUTCOME_BYTES
} from './messages.ts'

/** What the protocol needs of the averaging; gossip-aggregation's Averager has this shape. */
export interface OutcomePort {
  /** In doubt: partner → exchange id. */
  readonly doubts: ReadonlyMap<string, string>
  isUnsettled (exchangeId: string): boolean
  settle (exchangeId: string, verdict: Decision): Promise<void>
  decide (exchangeId: string, partner: string): Promise<Decision>
  unacknowledged (partner: string): readonly string[]
  acknowledged (exchangeId: string, partner: string): Promise<void>
}

export interface Talk {
  readonly frames: Frames
  readonly partner: string
  /** Between two frames, milliseconds. */
  readonly progressMs: number
  readonly signal: AbortSignal
}

export interface SettledExchange {
  readonly partner: string
  readonly exchangeId: string
  readonly verdict: Decision
}

/** The initiator's side: asks, settles durably, acknowledges. Undefined when nothing was in doubt. */
export async function askOutcome (averaging: OutcomePort, talk: Talk): Promise<SettledExchange | undefined> {
  const { frames, partner, progressMs: ms, signal } = talk
  const exchangeId = averaging.doubts.get(partner)
  await frames.write(encodeQuery(exchangeId), { ms, what: 'room for the query', signal })
  const { verdict, latest } = decodeReply(await frames.read(MAX_OUTCOME_BYTES, { ms, what: 'reply', signal }))
  if (exchangeId != null) await averaging.settle(exchangeId, verdict)
  const settled = latest == null || averaging.isUnsettled(latest) ? undefined : latest
  await frames.write(encodeAcknowledgement(settled), { ms, what: 'room for the acknowledgement', signal })
  return exchangeId == null ? undefined : { partner, exchangeId, verdict }
}

/** The responder's side: what it has not decided it aborts, bindingly; what is acknowledged it forgets. */
export async function tellOutcome (averaging: OutcomePort, talk: Talk): Promise<void> {
  const { frames, partner, progressMs: ms, signal } = talk
  const exchangeId = decodeQuery(await frames.read(MAX_OUTCOME_BYTES, { ms, what: 'query', signal }))
  const verdict = exchangeId == null ? 'aborted' : await averaging.decide(exchangeId, partner)
  const latest = averaging.unacknowledged(partner).at(-1)
  await frames.write(encodeReply({ verdict, latest }), { ms, what: 'room for the reply', signal })
  const settled = decodeAcknowledgement(await frames.read(MAX_OUTCOME_BYTES, { ms, what: 'acknowledgement', signal }))
  if (settled != null) await averaging.acknowledged(settled, partner)
}
