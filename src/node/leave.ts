import { InputError } from '../errors.ts'
import type { Revoked } from '../federation/membership/site-membership.ts'
import type { Averager } from '../gossip-aggregation/averager.ts'
import type { Sealing } from '../gossip-aggregation/groups/sealing.ts'
import type { Clock } from '../rounds/clock.ts'
import type { PeerTable } from '../rounds/peer-table.ts'

/** What became of a farewell. */
export interface Left extends Pick<Revoked, 'signatures' | 'quorum' | 'effective'> {
  /** Sites that were there to be told. */
  readonly told: number
  /** Partners and leaders of groups with whom something stays in doubt. */
  readonly inDoubt: readonly string[]
}

export interface LeaveInit {
  readonly averager: Pick<Averager, 'doubts' | 'paused'> & { readonly sealing?: Pick<Sealing, 'doubts' | 'isOpen'> | undefined }
  readonly peers: Pick<PeerTable, 'connectedCount'>
  /** Founders who are members yet, this site among them; none where it is no founder. */
  readonly foundersLeft: readonly string[]
  readonly quorum: number
  readonly clock: Clock
  /** Lets an open exchange end, and makes no other. */
  readonly quiesce: () => Promise<void>
  /** Signs the farewell and tells it. */
  readonly depart: () => Promise<Revoked>
  readonly signal: AbortSignal
}

const SETTLE_MS = 8_000
const POLL_MS = 100

/**
 * Ends the membership of this site: nothing new is begun, what is in doubt is settled with whoever is there, and the others are told.
 * @throws InputError, and all goes on, where nobody is there to be told, or (unless `although`) something would be left undone
 */
export async function leave (init: LeaveInit, although: boolean): Promise<Left> {
  const { averager, peers, quiesce, depart } = init
  if (peers.connectedCount === 0) {
    throw new InputError('no other site is there to be told: leave when one is connected, or let a founder revoke this site')
  }
  if (!although) requireOthersWhoMay(init)
  await quiesce()
  let isOver = false
  try {
    await settled(init)
    const inDoubt = doubtsOf(averager)
    if (inDoubt.length > 0 && !although) {
      throw new InputError(`an exchange or a group with ${inDoubt.join(', ')} is in doubt, and can be settled when that site is there: ` +
        'leave then, or give --yes to leave it as it is')
    }
    const told = peers.connectedCount
    const { signatures, quorum, effective } = await depart()
    isOver = effective
    return { signatures, quorum, effective, told, inDoubt }
  } finally {
    averager.paused = isOver
  }
}

function requireOthersWhoMay ({ foundersLeft, quorum }: LeaveInit): void {
  if (foundersLeft.length === 0 || foundersLeft.length > quorum) return
  throw new InputError('when this founder has left, the others are too few to invite, renew or revoke anybody: ' +
    'give --yes to leave all the same')
}

async function settled ({ averager, clock, signal }: LeaveInit): Promise<void> {
  const end = clock.now() + SETTLE_MS
  const isSettled = (): boolean => doubtsOf(averager).length === 0 && averager.sealing?.isOpen !== true
  while (!isSettled() && clock.now() < end) await clock.sleep(POLL_MS, signal)
}

function doubtsOf ({ doubts, sealing }: LeaveInit['averager']): string[] {
  return [...new Set([...doubts.keys(), ...sealing?.doubts.keys() ?? []])]
}
