import type { Frames } from '../shared/frames.ts'
import {
  decodeAcknowledgement, decodeCommit, decodeMembers, decodeReply, encodeAcknowledgement, encodeAnswer, encodeOpening, encodeReply,
  encodeReport, encodeSettled, MAX_GROUP_BYTES
} from './messages.ts'
import type { CommittedGroup, Decision, GroupPort } from './port.ts'
import type { GroupSession } from './session.ts'

/** Steps that others may take between Members and Commit. */
const COMMIT_STEPS = 3

/** A member's side, from its Answer to Settled. @throws ProtocolError, TimeoutError, UnreachableError */
export async function follow (session: GroupSession, frames: Frames): Promise<CommittedGroup> {
  const { run, signal, limits: { stepMs: ms } } = session.init
  await frames.write(encodeAnswer({ party: await session.signedParty() }), { ms, what: 'room for the answer', signal })
  const parties = decodeMembers(await frames.read(MAX_GROUP_BYTES, { ms: 2 * ms, what: 'members of the group', signal }))
  await session.checkParties(parties)
  // Read from here on, so that a leader that gives up ends the wait for vectors too.
  const committing = frames.read(MAX_GROUP_BYTES, { ms: COMMIT_STEPS * ms, what: 'Commit', signal })
  committing.catch((error: unknown) => { session.fail(error as Error) })
  await session.average(parties)
  await run.ready()
  await frames.write(encodeReport(await session.signedReport()), { ms, what: 'room for the report', signal })
  const reports = decodeCommit(await committing)
  await session.checkReports(reports)
  const committed = await run.commit(reports)
  // The leader that does not hear it keeps the outcome.
  await frames.write(encodeSettled(run.id), { ms, what: 'room for Settled', signal }).catch(() => {})
  return committed
}

interface Talk {
  readonly frames: Frames
  readonly ms: number
  readonly signal: AbortSignal
}

/** A member asks its leader what became of the group in doubt, settles it, and lets it forget what is settled. */
export async function askLeader (
  port: GroupPort,
  leader: string,
  { frames, ms, signal }: Talk
): Promise<{ readonly groupId: string, readonly verdict: Decision } | undefined> {
  const groupId = port.doubts.get(leader)
  await frames.write(encodeOpening({ kind: 'ASK', groupId }), { ms, what: 'room for the question', signal })
  const { verdict, unheard } = decodeReply(await frames.read(MAX_GROUP_BYTES, { ms, what: 'reply', signal }))
  if (groupId != null) await port.settle(groupId, verdict)
  const settled = unheard.filter((id) => port.isSettled(id))
  await frames.write(encodeAcknowledgement(settled), { ms, what: 'room for the acknowledgement', signal })
  return groupId == null ? undefined : { groupId, verdict }
}

/** The leader's side of it: what it has not decided it aborts, bindingly. */
export async function answerMember (
  port: GroupPort,
  member: string,
  groupId: string | undefined,
  { frames, ms, signal }: Talk
): Promise<void> {
  const verdict = groupId == null ? 'aborted' : await port.decide(groupId)
  await frames.write(encodeReply({ verdict, unheard: port.unheard(member) }), { ms, what: 'room for the reply', signal })
  const ids = decodeAcknowledgement(await frames.read(MAX_GROUP_BYTES, { ms, what: 'acknowledgement', signal }))
  await port.acknowledged(ids, member)
}
