import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { compareVersions, SOFTWARE, VERSION_TEXT } from '../common/software.ts'
import { InputError } from '../errors.ts'
import { readJson, writeJson } from '../home/files.ts'
import { conflictIn, federationSettings, sections, type FederationSettings } from '../settings/federation-settings.ts'
import { count } from '../settings/setting.ts'
import { hintList } from './hints.ts'
import { canonicalBytes, federationIdText, isSigned, peerIdText, printable, sign, signature, type Signature } from './signed.ts'

export const MOST_NAME_CHARACTERS = 100
export const federationName = printable.min(1).max(MOST_NAME_CHARACTERS)

/** More than a federation that runs for decades needs. */
const MOST_AMENDMENTS = 10_000
const MOST_FOUNDERS = 64
const founderList = z.array(peerIdText).min(1).max(MOST_FOUNDERS)

/** What a document that follows another one says of those before it. */
const amendsBody = z.strictObject({
  /** Id of the federation: the digest of its first document. */
  federation: federationIdText,
  /** Digest of the document before this one, whose founders sign this. */
  document: federationIdText,
  number: count.max(MOST_AMENDMENTS),
  /** Founders of documents before, and the number of the one that ended them: what they signed until then holds. */
  former: z.array(z.strictObject({ founders: founderList, quorum: count, until: count })).max(16).optional(),
  /** Whom former founders revoked: their revocations alone count no more. */
  revoked: z.array(peerIdText).max(MOST_FOUNDERS).optional()
})

const body = z.strictObject({
  version: z.literal(1),
  name: federationName,
  created: z.iso.datetime(),
  /** Version by which it was created; documents of 0.1.0 have none. */
  software: z.string().regex(VERSION_TEXT).optional(),
  founders: founderList,
  /** How many founders' signatures an admission takes. */
  quorum: count,
  /** Oldest software that goes on with this document. */
  leastSoftware: z.string().regex(VERSION_TEXT).optional(),
  amends: amendsBody.optional(),
  /** What all sites start from instead of the seed: the digest of its tensors (tensors-digest.ts). */
  start: z.strictObject({ adapter: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
  /** Addresses of sites, relays above all, at which the others find the federation besides what their invitations say. */
  hints: hintList.optional(),
  ...sections
})

const signedDocument = body.extend({ signatures: z.array(signature).min(1).max(MOST_FOUNDERS) })

export type FederationBody = z.infer<typeof body>
export type FederationDocument = z.infer<typeof signedDocument>

/** A verified document together with the id of its federation. */
export interface Federation {
  readonly id: string
  readonly document: FederationDocument
}

/** @throws InputError naming the setting of an unsigned document that is wrong; `where` names its source. */
export function checkBody (value: unknown, where: string): FederationBody {
  return checked(body, value, where)
}

function checked<T extends FederationSettings> (schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = schema.safeParse(value)
  const conflict = parsed.success ? conflictIn(parsed.data) : undefined
  if (conflict != null) throw new InputError(`${where} does not fit a federation: ${conflict}`)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new InputError(`${where} does not fit a federation: ${issue?.path.join('.') || 'document'}: ${issue?.message ?? 'invalid'}`)
}

/** @throws InputError naming the setting that is wrong; `where` names its source. */
export function checkSettings (value: unknown, where: string): FederationSettings {
  return checked(federationSettings, value, where)
}

/** SHA-256 (hex) of the RFC 8785 canonical bytes without signatures. */
export function documentDigest (document: FederationBody | FederationDocument): string {
  return createHash('sha256').update(canonicalBytes(unsigned(document))).digest('hex')
}

/** The digest of the first document, by which keys, certificates and protocols are named whatever is amended later. */
export function federationId (document: FederationBody | FederationDocument): string {
  return document.amends?.federation ?? documentDigest(document)
}

/** 0 for the first document of a federation, one more with every amendment. */
export function numberOf ({ amends }: Pick<FederationBody, 'amends'>): number {
  return amends?.number ?? 0
}

/** A set of founders, and how many of them it takes. */
export type Founding = Pick<FederationBody, 'founders' | 'quorum'>

/** Whose signatures a document needs: of the founders before it, else of its own. */
export function signersOfDocument ({ amends, ...own }: FederationBody): Founding {
  const { founders, quorum } = amends?.former?.find(({ until }) => until === amends.number) ?? own
  return { founders, quorum }
}

/** Those who found now, and those who did so before. */
export function foundingsOf ({ amends, founders, quorum }: FederationBody): readonly Founding[] {
  return [{ founders, quorum }, ...amends?.former ?? []]
}

/** How many founders' signatures a document still lacks. */
export function lackingSignatures (document: FederationDocument): number {
  return missingOf(signersOfDocument(document), document.signatures)
}

/** Adds this founder's signature to those that are there. */
export async function signFederation (document: FederationBody | FederationDocument, key: PrivateKey): Promise<FederationDocument> {
  const own = await sign(unsigned(document), key)
  const others = 'signatures' in document ? document.signatures.filter(({ peerId }) => peerId !== own.peerId) : []
  return { ...document, signatures: [...others, own] }
}

/** How many founders' signatures this federation takes for anything. */
export function quorumOf ({ quorum, founders }: Founding): number {
  return Math.min(quorum, founders.length)
}

/** How many founders' signatures something of this federation still lacks. */
export function missingOf (founding: Founding, signatures: readonly Signature[]): number {
  return Math.max(0, quorumOf(founding) - signersOf(signatures))
}

function signersOf (signatures: readonly Signature[]): number {
  return new Set(signatures.map(({ peerId }) => peerId)).size
}

/**
 * @throws InputError when the file is missing, malformed, lacks signatures, or was changed after its founders signed it.
 * @example
 * ```ts
 * import { createFederation, readFederation, sitePaths, type FederationDocument } from 'consilium'
 *
 * await createFederation({ home: 'home', name: 'Two towns', rounds: 2 })
 * const document: FederationDocument = (await readFederation(sitePaths('home').federation)).document
 * console.log(document.training.rounds) // 2
 * ```
 */
export async function readFederation (path: string): Promise<Federation> {
  const federation = await readDraft(path)
  requireQuorum(path, federation.document)
  return federation
}

const JOIN = 'run "consilium init", ask a founder for an invitation, and run "consilium join" with it'

/** The same for a document that may still lack signatures; `advice` is for one that is not there. */
export async function readDraft (path: string, advice = JOIN): Promise<Federation> {
  return await parseDraft(await readJson(path, advice), path)
}

/** A verified document out of a JSON value; `where` names its source in errors. @throws InputError. */
export async function parseFederation (value: unknown, where: string): Promise<Federation> {
  const federation = await parseDraft(value, where)
  requireQuorum(where, federation.document)
  return federation
}

export async function writeFederation (path: string, document: FederationDocument): Promise<void> {
  await writeJson(path, document)
}

/** A verified document that may still lack signatures. @throws InputError */
export async function parseDraft (value: unknown, where: string): Promise<Federation> {
  const document = parseUnverified(value, where)
  await verifySignatures(where, document)
  return { id: federationId(document), document }
}

/** What a document says, whoever signed it. @throws InputError */
export function parseUnverified (value: unknown, where: string): FederationDocument {
  const parsed = signedDocument.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new InputError(
      laterSoftware(value, where) ??
        `${where} is not a federation document: ${issue?.path.join('.') || 'document'}: ${issue?.message ?? 'invalid'}`
    )
  }
  const conflict = conflictIn(parsed.data)
  if (conflict != null) throw new InputError(`${where} is not a federation document: ${conflict}`)
  return parsed.data
}

/** Why a document that cannot be read may be right all the same. */
function laterSoftware (value: unknown, where: string): string | undefined {
  const { software } = (value ?? {}) as { software?: unknown }
  if (typeof software !== 'string' || !VERSION_TEXT.test(software) || compareVersions(software, SOFTWARE) <= 0) return undefined
  return `${where} was created by consilium ${software} and holds what this consilium ${SOFTWARE} does not know: install consilium ` +
    `${software} or newer`
}

/** @throws InputError where one is not of those who may sign it, or of another text; `where` names its source */
export async function verifySignatures (where: string, document: FederationDocument): Promise<void> {
  const body_ = unsigned(document)
  const { founders } = signersOfDocument(document)
  for (const each of document.signatures) {
    if (!founders.includes(each.peerId)) {
      throw new InputError(`${where} is signed by ${each.peerId}, who is not one of its founders: get the original from the founder`)
    }
    if (!await isSigned(body_, each)) {
      throw new InputError(
        `${where} was changed after its founder signed it: get the original from the founder, or create a new federation`
      )
    }
  }
}

/** @throws InputError where it still lacks signatures; `where` names its source. */
export function requireQuorum (where: string, document: FederationDocument): void {
  const quorum = quorumOf(signersOfDocument(document))
  const signed = signersOf(document.signatures)
  if (signed >= quorum) return
  throw new InputError(
    `${where} carries ${signed} of the ${quorum} founders' signatures it needs: ask the others to sign ("consilium federation sign")`
  )
}

/** What is signed. */
export function unsigned (document: FederationBody | FederationDocument): FederationBody {
  const { signatures: _, ...rest } = document as FederationDocument
  return rest
}
