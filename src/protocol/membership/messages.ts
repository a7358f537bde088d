import { ProtocolError } from '../../errors.ts'
import { checkLength, decoded } from '../shared/decode.ts'
import * as wire from './pb/membership.ts'
import type { CredentialReason, Greeting, NetworkKey } from './types.ts'

/** Cap of every frame. */
export const MAX_MEMBERSHIP_BYTES = 65_536
/** A certificate with its issuer's and four hand-overs. */
const MAX_CREDENTIAL_BYTES = 24_576
const MAX_STATEMENT_BYTES = 32_768
const MAX_SCORE_BYTES = 32_768
const MOST_PER_FRAME = 512
const HASH_BYTES = 32
const MAX_KEY_STATEMENT_BYTES = 1_024

/** Statements, documents and scores of one frame, the last of them marked. */
export interface StatementBatch {
  readonly statements: readonly Uint8Array[]
  readonly documents?: readonly Uint8Array[]
  readonly scores?: readonly Uint8Array[]
  readonly last: boolean
  readonly key?: NetworkKey | undefined
  /** What another process drew at its start that has the key of whoever is told. */
  readonly twin?: number
  /** What follows on the certificate of whoever is told, canonical JSON. */
  readonly certificate?: Uint8Array
}
export interface Judgement { readonly refused?: CredentialReason, readonly key?: NetworkKey | undefined }
export type MembershipMessage = { readonly hello: Greeting } | { readonly batch: StatementBatch } | { readonly answer: Judgement }

const NOTHING = new Uint8Array()
const EMPTY: wire.MembershipFrame = {
  kind: wire.Kind.HELLO,
  credential: NOTHING,
  digest: NOTHING,
  keyEpoch: 0,
  keyHash: NOTHING,
  statements: [],
  last: false,
  reason: wire.Reason.ACCEPTED,
  keyStatement: NOTHING,
  key: NOTHING,
  documentsDigest: NOTHING,
  documents: [],
  scoresDigest: NOTHING,
  scores: [],
  instance: 0,
  twin: 0,
  certificate: NOTHING
}

export function encodeMembershipMessage (step: MembershipMessage): Uint8Array {
  return wire.MembershipFrame.encode({ ...EMPTY, ...toWire(step) })
}

/** @throws ProtocolError for whatever is not one of the three kinds within their caps. */
export function decodeMembershipMessage (bytes: Uint8Array): MembershipMessage {
  const frame = decoded('a membership frame', (input) => wire.MembershipFrame.decode(input), bytes)
  if (frame.kind === wire.Kind.HELLO) return { hello: helloOf(frame) }
  if (frame.kind === wire.Kind.STATEMENTS) return { batch: batchOf(frame) }
  return { answer: { ...(frame.reason === wire.Reason.ACCEPTED ? {} : { refused: frame.reason }), ...keyOf(frame) } }
}

/** All documents, then all statements, then all scores, in as few frames as the caps allow, at least one. */
export function statementBatches (
  statements: readonly Uint8Array[],
  key?: NetworkKey,
  documents: readonly Uint8Array[] = [],
  scores: readonly Uint8Array[] = []
): StatementBatch[] {
  const none = (): Record<'statements' | 'documents' | 'scores', Uint8Array[]> => ({ statements: [], documents: [], scores: [] })
  const groups = [none()]
  let [bytes, count] = [0, 0]
  const add = (what: keyof ReturnType<typeof none>, each: Uint8Array): void => {
    if (count > 0 && (bytes + each.length > MAX_MEMBERSHIP_BYTES / 2 || count >= MOST_PER_FRAME)) {
      groups.push(none())
      bytes = count = 0
    }
    groups.at(-1)![what].push(each)
    bytes += each.length + 4
    count++
  }
  for (const each of documents) add('documents', each)
  for (const each of statements) add('statements', each)
  for (const each of scores) add('scores', each)
  return groups.map((group, i) => ({
    statements: group.statements,
    ...(group.documents.length === 0 ? {} : { documents: group.documents }),
    ...(group.scores.length === 0 ? {} : { scores: group.scores }),
    last: i === groups.length - 1,
    ...(i === 0 && key != null ? { key } : {})
  }))
}

function toWire (step: MembershipMessage): Partial<wire.MembershipFrame> {
  if ('hello' in step) {
    const { credential, digest, key, documents = NOTHING, scores = NOTHING, instance = 0 } = step.hello
    return {
      kind: wire.Kind.HELLO,
      credential: owned(credential),
      digest: owned(digest),
      keyEpoch: key.epoch,
      keyHash: owned(key.hash),
      documentsDigest: owned(documents),
      scoresDigest: owned(scores),
      instance
    }
  }
  if ('batch' in step) {
    const { statements, documents = [], scores = [], last, key, twin = 0, certificate = NOTHING } = step.batch
    const told = { statements: statements.map(owned), documents: documents.map(owned), scores: scores.map(owned) }
    return { kind: wire.Kind.STATEMENTS, ...told, last, ...keyParts(key), twin, certificate: owned(certificate) }
  }
  return { kind: wire.Kind.VERDICT, reason: wire.Reason[step.answer.refused ?? 'ACCEPTED'], ...keyParts(step.answer.key) }
}

function helloOf (frame: wire.MembershipFrame): Greeting {
  const { credential, digest, keyEpoch, keyHash, documentsDigest, scoresDigest, instance } = frame
  atMost('a credential', credential, MAX_CREDENTIAL_BYTES)
  checkLength('a digest', digest, HASH_BYTES)
  checkLength('a key hash', keyHash, HASH_BYTES)
  if (documentsDigest.length > 0) checkLength('a digest of documents', documentsDigest, HASH_BYTES)
  if (scoresDigest.length > 0) checkLength('a digest of scores', scoresDigest, HASH_BYTES)
  const documents = documentsDigest.length > 0 ? { documents: documentsDigest } : {}
  const scores = scoresDigest.length > 0 ? { scores: scoresDigest } : {}
  const drawn = instance === 0 ? {} : { instance }
  return { credential, digest, key: { epoch: keyEpoch, hash: keyHash }, ...documents, ...scores, ...drawn }
}

function batchOf (frame: wire.MembershipFrame): StatementBatch {
  const { statements, documents, scores, last, twin, certificate } = frame
  atMost('a certificate', certificate, MAX_CREDENTIAL_BYTES)
  const count = statements.length + documents.length + scores.length
  if (count > MOST_PER_FRAME) throw new ProtocolError(`${count} statements in a frame, where at most ${MOST_PER_FRAME} are allowed`)
  for (const each of statements) atMost('a statement', each, MAX_STATEMENT_BYTES)
  for (const each of documents) atMost('a document', each, MAX_STATEMENT_BYTES)
  for (const each of scores) atMost('a row of scores', each, MAX_SCORE_BYTES)
  const told = { ...(documents.length === 0 ? {} : { documents }), ...(scores.length === 0 ? {} : { scores }) }
  const own = { ...(twin === 0 ? {} : { twin }), ...(certificate.length === 0 ? {} : { certificate }) }
  return { statements, ...told, last, ...keyOf(frame), ...own }
}

function keyParts (key: NetworkKey | undefined): Partial<wire.MembershipFrame> {
  return key == null ? {} : { keyStatement: owned(key.statement), key: owned(key.key) }
}

function keyOf ({ keyStatement: statement, key }: wire.MembershipFrame): { key?: NetworkKey } {
  if (statement.length === 0) return {}
  atMost('a key statement', statement, MAX_KEY_STATEMENT_BYTES)
  checkLength('a network key', key, HASH_BYTES)
  return { key: { statement, key } }
}

function atMost (name: string, bytes: Uint8Array, most: number): void {
  if (bytes.length > most) throw new ProtocolError(`${name} of ${bytes.length} bytes, where at most ${most} are allowed`)
}

/** The generated code wants arrays that own their buffer. */
function owned (bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
