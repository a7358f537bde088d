import { RefusedError } from '../../errors.ts'
import type { Frames } from '../shared/frames.ts'
import {
  checkSettled, decodeAnswer, decodeReport, encodeCommit, encodeMembers, encodeOpening, MAX_GROUP_BYTES, type GroupRefusal,
  type Signed
} from './messages.ts'
import type { CommittedGroup, GroupPort, GroupReport, Party } from './port.ts'
import type { GroupSession } from './session.ts'

interface Member {
  readonly id: string
  readonly frames: Frames
  readonly party: Signed<Party>
}

export interface Leading {
  readonly invited: readonly string[]
  readonly port: Pick<GroupPort, 'secure' | 'schemaHash' | 'acknowledged'>
  /** A member said why it does not take part, or could not be reached. */
  readonly onDeclined?: (member: string, reason: GroupRefusal | 'UNREACHABLE') => void
}

/**
 * The leader's side, which alone decides. @throws RefusedError with reason TOO_FEW where not enough join, and ProtocolError, TimeoutError,
 * UnreachableError where it broke off
 */
export async function lead (session: GroupSession, { invited, port, onDeclined }: Leading): Promise<CommittedGroup> {
  const asked = await Promise.all(invited.map(async (id) => await invite(session, id, port.schemaHash, onDeclined)))
  const members = asked.filter((each) => each != null)
  try {
    if (members.length + 1 < port.secure.minimum) throw new RefusedError('TOO_FEW')
    const [committed, reports] = await average(session, members)
    await Promise.all(members.map(async (member) => { await tell(session, member, reports, port) }))
    return committed
  } catch (error) {
    for (const { frames } of members) frames.abort(error as Error)
    throw error
  }
}

async function invite (
  session: GroupSession,
  id: string,
  schemaHash: string,
  onDeclined: Leading['onDeclined']
): Promise<Member | undefined> {
  const { run, dial, signal, limits: { stepMs: ms } } = session.init
  let frames: Frames | undefined
  try {
    frames = await dial(id)
    await frames.write(encodeOpening({ kind: 'INVITE', groupId: run.id, schemaHash }), { ms, what: 'room for the invitation', signal })
    const answer = decodeAnswer(await frames.read(MAX_GROUP_BYTES, { ms, what: 'answer to the invitation', signal }))
    if ('refused' in answer) {
      onDeclined?.(id, answer.refused)
      frames.finish(ms)
      return undefined
    }
    await session.checkParties([{ ...answer.party, id }])
    return { id, frames, party: { ...answer.party, id } }
  } catch (error) {
    onDeclined?.(id, 'UNREACHABLE')
    frames?.abort(error as Error)
    return undefined
  }
}

async function average (
  session: GroupSession,
  members: readonly Member[]
): Promise<[committed: CommittedGroup, reports: readonly Signed<GroupReport>[]]> {
  const { run, signal, limits: { stepMs: ms } } = session.init
  const parties = [await session.signedParty(), ...members.map(({ party }) => party)]
  const reporting = members.map(async ({ frames }) => {
    await frames.write(encodeMembers(parties), { ms, what: 'room for the members', signal })
    return decodeReport(await frames.read(MAX_GROUP_BYTES, { ms: 2 * ms, what: 'report of a member', signal }))
  })
  const [, ...theirs] = await Promise.all([session.average(parties), ...reporting])
  const reports: Signed<GroupReport>[] = [await session.signedReport(), ...theirs]
  await session.checkReports(reports)
  return [await run.commit(reports), reports]
}

/** What was decided stands, whether or not a member can be told: it then asks later. */
async function tell (
  session: GroupSession,
  { id, frames }: Member,
  reports: readonly Signed<GroupReport>[],
  port: Leading['port']
): Promise<void> {
  const { run, signal, limits: { stepMs: ms } } = session.init
  try {
    await frames.write(encodeCommit(reports), { ms, what: 'room for Commit', signal })
    checkSettled(await frames.read(MAX_GROUP_BYTES, { ms, what: 'Settled', signal }), run.id)
    await port.acknowledged([run.id], id)
    frames.finish(ms)
  } catch (error) {
    frames.abort(error as Error)
  }
}
