import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { ProtocolError } from '../../errors.ts'
import { checkLength, decoded } from '../shared/decode.ts'
import * as wire from './pb/group.ts'
import type { Decision, GroupReport, Party } from './port.ts'

/** Cap of every frame that is not a chunk: the reports of the largest group, each with a digest of every vector. */
export const MAX_GROUP_BYTES = 65_536
const ID_BYTES = 16
const HASH_BYTES = 32
const SIGNATURE_BYTES = 64
/** Groups that one acknowledgement names at most. */
const MOST_NAMED = 64
/** Members of a frame, whatever a federation allows. */
const MOST_MEMBERS = 64

export type GroupRefusal = Exclude<`${wire.Verdict}`, 'JOINED'>
export type Signed<T> = T & { readonly signature: Uint8Array }
export type Opening =
  | { readonly kind: 'INVITE', readonly groupId: string, readonly schemaHash: string }
  | { readonly kind: 'VECTOR', readonly groupId: string }
  | { readonly kind: 'ASK', readonly groupId: string | undefined }
export type Answer = { readonly party: Signed<Party> } | { readonly refused: GroupRefusal }

export function encodeOpening (opening: Opening): Uint8Array {
  const { kind, groupId = '' } = opening
  return wire.Opening.encode({
    kind: wire.Kind[kind],
    groupId: bytesOf(groupId),
    schemaHash: bytesOf(kind === 'INVITE' ? opening.schemaHash : '')
  })
}

/** All decoders throw ProtocolError for what cannot be decoded, or has parts of another length. */
export function decodeOpening (bytes: Uint8Array): Opening {
  const { kind, groupId, schemaHash } = decoded('the opening of a group', (input) => wire.Opening.decode(input), bytes)
  if (kind === wire.Kind.ASK && groupId.length === 0) return { kind: 'ASK', groupId: undefined }
  checkLength('the group id in the opening', groupId, ID_BYTES)
  if (kind !== wire.Kind.INVITE) return { kind, groupId: hex(groupId) }
  checkLength('the schema hash in the opening', schemaHash, HASH_BYTES)
  return { kind: 'INVITE', groupId: hex(groupId), schemaHash: hex(schemaHash) }
}

export function encodeAnswer (answer: Answer): Uint8Array {
  if ('refused' in answer) return wire.Answer.encode({ verdict: wire.Verdict[answer.refused], party: bytesOf('') })
  return wire.Answer.encode({ verdict: wire.Verdict.JOINED, party: partyBytes(answer.party) })
}

export function decodeAnswer (bytes: Uint8Array): Answer {
  const { verdict, party } = decoded('the answer to an invitation', (input) => wire.Answer.decode(input), bytes)
  if (verdict !== wire.Verdict.JOINED) return { refused: verdict }
  return { party: fromParty(party) }
}

export function encodeMembers (parties: readonly Signed<Party>[]): Uint8Array {
  return wire.Members.encode({ parties: parties.map(partyBytes) })
}

export function decodeMembers (bytes: Uint8Array): Signed<Party>[] {
  const { parties } = decoded('the members of a group', (input) => wire.Members.decode(input), bytes)
  return parties.slice(0, MOST_MEMBERS).map(fromParty)
}

export function encodeTrailer (digest: string): Uint8Array {
  return wire.Trailer.encode({ digest: bytesOf(digest) })
}

export function decodeTrailer (bytes: Uint8Array): string {
  return digestOf(decoded('the trailer', (input) => wire.Trailer.decode(input), bytes).digest)
}

export function encodeReport (report: Signed<GroupReport>): Uint8Array {
  return reportBytes(report)
}

export function decodeReport (bytes: Uint8Array): Signed<GroupReport> {
  return fromReport(bytes)
}

export function encodeCommit (reports: readonly Signed<GroupReport>[]): Uint8Array {
  return wire.Commit.encode({ reports: reports.map(reportBytes) })
}

export function decodeCommit (bytes: Uint8Array): Signed<GroupReport>[] {
  const { reports } = decoded('Commit of a group', (input) => wire.Commit.decode(input), bytes)
  return reports.slice(0, MOST_MEMBERS).map(fromReport)
}

export function encodeSettled (groupId: string): Uint8Array {
  return wire.Settled.encode({ groupId: bytesOf(groupId) })
}

export function checkSettled (bytes: Uint8Array, groupId: string): void {
  const settled = decoded('Settled of a group', (input) => wire.Settled.decode(input), bytes)
  if (hex(settled.groupId) !== groupId) throw new ProtocolError('Settled belongs to another group')
}

export function encodeReply ({ verdict, unheard }: { verdict: Decision, unheard: readonly string[] }): Uint8Array {
  const outcome = verdict === 'committed' ? wire.Outcome.COMMITTED : wire.Outcome.ABORTED
  return wire.Reply.encode({ outcome, unheard: unheard.slice(0, MOST_NAMED).map(bytesOf) })
}

export function decodeReply (bytes: Uint8Array): { verdict: Decision, unheard: string[] } {
  const { outcome, unheard } = decoded('the reply about a group', (input) => wire.Reply.decode(input), bytes)
  return { verdict: outcome === wire.Outcome.COMMITTED ? 'committed' : 'aborted', unheard: idsOf(unheard) }
}

export function encodeAcknowledgement (ids: readonly string[]): Uint8Array {
  return wire.Acknowledgement.encode({ groupIds: ids.slice(0, MOST_NAMED).map(bytesOf) })
}

export function decodeAcknowledgement (bytes: Uint8Array): string[] {
  return idsOf(decoded('the acknowledgement of groups', (input) => wire.Acknowledgement.decode(input), bytes).groupIds)
}

function idsOf (ids: readonly Uint8Array[]): string[] {
  return ids.slice(0, MOST_NAMED).map((id) => {
    checkLength('a group id', id, ID_BYTES)
    return hex(id)
  })
}

function partyBytes ({ id, key, mass, signature }: Signed<Party>): Uint8Array<ArrayBuffer> {
  return wire.Party.encode({ id, key: key.slice(), mass, signature: signature.slice() }).slice()
}

function fromParty (bytes: Uint8Array): Signed<Party> {
  const { id, key, mass, signature } = decoded('a member of a group', (input) => wire.Party.decode(input), bytes)
  checkLength('the key of a member', key, HASH_BYTES)
  checkLength('the signature of a member', signature, SIGNATURE_BYTES)
  return { id, key, mass, signature }
}

function reportBytes ({ mean, vectors, signature }: Signed<GroupReport>): Uint8Array<ArrayBuffer> {
  return wire.Report.encode({ mean: bytesOf(mean), vectors: vectors.map(bytesOf), signature: signature.slice() }).slice()
}

function fromReport (bytes: Uint8Array): Signed<GroupReport> {
  const { mean, vectors, signature } = decoded('the report of a member', (input) => wire.Report.decode(input), bytes)
  checkLength('the signature of a report', signature, SIGNATURE_BYTES)
  return { mean: digestOf(mean), vectors: vectors.slice(0, MOST_MEMBERS).map(digestOf), signature }
}

function digestOf (bytes: Uint8Array): string {
  checkLength('a digest of the group', bytes, HASH_BYTES)
  return hex(bytes)
}

function hex (bytes: Uint8Array): string {
  return toString(bytes, 'base16')
}

function bytesOf (text: string): Uint8Array<ArrayBuffer> {
  return fromString(text, 'base16').slice()
}
