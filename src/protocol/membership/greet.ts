import { equals } from 'uint8arrays/equals'
import { ProtocolError } from '../../errors.ts'
import type { Frames } from '../shared/frames.ts'
import type { Limit } from '../shared/within.ts'
import {
  statementBatches,
  decodeMembershipMessage,
  encodeMembershipMessage,
  MAX_MEMBERSHIP_BYTES,
  type Judgement,
  type StatementBatch
} from './messages.ts'
import type { CredentialReason, Greeting, MembershipNews, MembershipPort } from './types.ts'

/** How a greeting ended. */
export type Greeted = { readonly accepted: true } | { readonly refusedBy: 'us' | 'them', readonly reason: CredentialReason }

export interface GreetInit {
  readonly peer: string
  readonly limit: (what: string) => Limit
  /** Called before this side says that it accepts, so that no stream of the other comes too early. */
  readonly admit: () => void
  readonly onNews: (news: MembershipNews) => void
}

// More than any set of statements needs.
const MOST_BATCHES = 1_024

/**
 * What both sides do alike once each has the other's greeting: judge it; let both sets of statements become one; judge again with what was
 * learnt; say so. A peer that is refused at once is told, and nothing that it knows is taken in.
 */
export async function greet (frames: Frames, membership: MembershipPort, theirs: Greeting, init: GreetInit): Promise<Greeted> {
  const refuse = async (reason: CredentialReason): Promise<Greeted> => {
    await frames.write(encodeMembershipMessage({ answer: { refused: reason } }), init.limit('room for the verdict'))
    return { refusedBy: 'us', reason }
  }
  const early = await membership.judge(init.peer, theirs.credential)
  if (early != null) return await refuse(early)
  const own = membership.greeting()
  const told = {
    statements: equals(own.digest, theirs.digest) ? [] : membership.statements(),
    documents: documentsFor(membership, theirs),
    scores: scoresFor(membership, own, theirs)
  }
  const [, end] = await Promise.all([
    sendStatements(frames, told, init),
    takeStatements(frames, membership, init)
  ])
  if (end != null) return end
  await membership.caughtUp(init.peer)
  const late = await membership.judge(init.peer, theirs.credential)
  if (late != null) return await refuse(late)
  init.admit()
  await frames.write(encodeMembershipMessage({ answer: { key: membership.newerKey(theirs.key) } }), init.limit('room for the verdict'))
  return await takeAnswer(frames, membership, init)
}

/** Those that a site which knows of amendments may lack. */
function documentsFor ({ documents }: MembershipPort, theirs: Greeting): Uint8Array[] {
  if (documents == null || theirs.documents == null || equals(documents.digest, theirs.documents)) return []
  return documents.documents()
}

/** Those that a site which knows of scores may lack. */
function scoresFor ({ scores }: MembershipPort, own: Greeting, theirs: Greeting): Uint8Array[] {
  if (scores == null || own.scores == null || theirs.scores == null || equals(own.scores, theirs.scores)) return []
  return scores.rows()
}

async function sendStatements (
  frames: Frames,
  { statements, documents, scores }: Required<Omit<MembershipNews, 'key'>>,
  { limit }: GreetInit
): Promise<void> {
  for (const batch of statementBatches(statements, undefined, documents, scores)) {
    await frames.write(encodeMembershipMessage({ batch }), limit('room for statements'))
  }
}

async function takeStatements (frames: Frames, membership: MembershipPort, { limit, onNews }: GreetInit): Promise<Greeted | undefined> {
  for (let i = 0; i < MOST_BATCHES; i++) {
    const step = decodeMembershipMessage(await frames.read(MAX_MEMBERSHIP_BYTES, limit('statements')))
    if ('answer' in step && step.answer.refused != null) return { refusedBy: 'them', reason: step.answer.refused }
    if (!('batch' in step)) throw new ProtocolError('something else among the statements')
    const news = await takeBatch(membership, { ...step.batch, key: undefined })
    if (news != null) onNews(news)
    if (step.batch.last) return undefined
  }
  throw new ProtocolError('statements without end')
}

async function takeAnswer (frames: Frames, membership: MembershipPort, { limit, onNews }: GreetInit): Promise<Greeted> {
  const step = decodeMembershipMessage(await frames.read(MAX_MEMBERSHIP_BYTES, limit('verdict')))
  if (!('answer' in step)) throw new ProtocolError('something else in place of the verdict')
  const { refused, key }: Judgement = step.answer
  if (refused != null) return { refusedBy: 'them', reason: refused }
  if (key != null && await membership.learnKey(key)) onNews({ key })
  return { accepted: true }
}

/** Documents first, by whose founders statements are judged. Undefined where nothing was new. */
export async function takeBatch (membership: MembershipPort, batch: StatementBatch): Promise<MembershipNews | undefined> {
  const documents = await membership.documents?.learn(batch.documents ?? []) ?? []
  const statements = await membership.learn(batch.statements)
  const scores = await membership.scores?.learn(batch.scores ?? []) ?? []
  const key = batch.key != null && await membership.learnKey(batch.key) ? batch.key : undefined
  if (documents.length + statements.length + scores.length === 0 && key == null) return undefined
  return { documents, statements, scores, ...(key == null ? {} : { key }) }
}
