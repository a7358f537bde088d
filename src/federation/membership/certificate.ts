import { createHash } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { z } from 'zod'
import { foundingsOf, missingOf, quorumOf, type Federation } from '../document.ts'
import { federationIdText, isSigned, peerIdText, printable, sign, signature, type Signature } from '../signed.ts'

export const siteName = printable.min(1).max(60)

/** Fractions of a second may have any number of digits. */
const time = z.iso.datetime().max(40)

const body = z.strictObject({
  version: z.literal(1),
  kind: z.literal('certificate'),
  federation: federationIdText,
  peerId: peerIdText,
  name: siteName,
  role: z.enum(['member', 'inviter']),
  from: time,
  to: time
})

export const rootCertificate = body.extend({ signatures: z.array(signature).max(64) })
/** With the certificate of the inviter who signed it, where founders did not. */
export const certificate = rootCertificate.extend({ issuer: rootCertificate.optional() })

const handover = z.strictObject({
  version: z.literal(1),
  kind: z.literal('handover'),
  federation: federationIdText,
  from: peerIdText,
  to: peerIdText,
  at: time,
  signature: z.base64().max(100)
})

export const MOST_HANDOVERS = 4

/** What a site shows: nothing (a founder), or its certificate and the hand-overs from the key that it names to the present one. */
export const credential = z.strictObject({
  certificate: certificate.optional(),
  handovers: z.array(handover).max(MOST_HANDOVERS).default([])
})

export type CertificateBody = z.infer<typeof body>
export type RootCertificate = z.infer<typeof rootCertificate>
export type Certificate = z.infer<typeof certificate>
export type Handover = z.infer<typeof handover>
export type Credential = z.infer<typeof credential>
export type MemberRole = CertificateBody['role'] | 'founder'

/** Why a credential does not count. */
export type CredentialFault =
  | 'NONE'
  | 'MALFORMED'
  | 'WRONG_FEDERATION'
  | 'WRONG_SIGNER'
  | 'OTHER_PEER'
  | 'REVOKED'
  | 'NOT_YET_VALID'
  | 'EXPIRED'
export interface Member { readonly peerId: string, readonly name: string, readonly role: MemberRole, readonly to?: string }
export type CredentialCheck = { readonly member: Member } | { readonly fault: CredentialFault }

/** What is known of revocations and hand-overs. */
export interface KnownStanding {
  isRevoked (peerId: string, role: MemberRole): boolean
  /** The key to which this one has handed over. */
  successorOf (peerId: string): string | undefined
}

export interface Judging {
  readonly federation: Federation
  /** Who shows it, as the handshake proved. */
  readonly peerId: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly standing: KnownStanding
}

/** A certificate signed by `key`, a founder's or (with its own certificate as `issuer`) an inviter's. */
export async function issueCertificate (
  init: Omit<CertificateBody, 'version' | 'kind'>,
  key: PrivateKey,
  issuer?: RootCertificate
): Promise<Certificate> {
  const unsigned: CertificateBody = { version: 1, kind: 'certificate', ...init }
  return { ...unsigned, signatures: [await sign(unsigned, key)], ...(issuer == null ? {} : { issuer }) }
}

/** Adds a founder's signature. */
export async function countersign (value: Certificate, key: PrivateKey): Promise<Certificate> {
  const own = await sign(bodyOf(value), key)
  return { ...value, signatures: [...value.signatures.filter(({ peerId }) => peerId !== own.peerId), own] }
}

export async function issueHandover (init: { federation: string, to: string, at: string }, key: PrivateKey): Promise<Handover> {
  const { peerId: from } = await sign({}, key)
  const unsigned = { version: 1, kind: 'handover', from, ...init } as const
  return { ...unsigned, signature: (await sign(unsigned, key)).signature }
}

/**
 * The peer id to which a site hands over that leaves: of no key that anybody has, since its bytes are a hash. Software that knows no
 * departures takes it for another key of the site, and lets the old one in no more all the same.
 */
export function nobodyAfter (federation: string, peerId: string): string {
  const bytes = createHash('sha256').update(`consilium departure ${federation} ${peerId}`).digest()
  return peerIdFromPublicKey(publicKeyFromRaw(bytes)).toString()
}

/** Who shows this credential, or the first thing that is wrong with it. */
export async function verifyCredential (value: unknown, { federation, peerId, now, standing }: Judging): Promise<CredentialCheck> {
  const parsed = credential.safeParse(value ?? {})
  if (!parsed.success) return { fault: 'MALFORMED' }
  const { certificate: shown, handovers } = parsed.data
  if (federation.document.founders.includes(peerId)) {
    return standing.isRevoked(peerId, 'founder')
      ? { fault: 'REVOKED' }
      : { member: { peerId, name: 'founder', role: 'founder' } }
  }
  if (shown == null) return { fault: 'NONE' }
  const fault = await signerFault(parsed.data, federation) ?? holderFault(shown, handovers, peerId) ??
    formerFault(shown, federation, standing) ?? standingFault(shown, handovers, peerId, standing) ?? timeFault(shown, now)
  return fault == null ? { member: { peerId, name: shown.name, role: shown.role, to: shown.to } } : { fault }
}

/** Whether the credential was issued by those who may, at whatever time. */
export async function signerFault (
  { certificate: shown, handovers }: Credential,
  federation: Federation
): Promise<CredentialFault | undefined> {
  if (shown == null) return 'NONE'
  const parts = [shown, ...handovers, ...(shown.issuer == null ? [] : [shown.issuer])]
  if (parts.some((each) => each.federation !== federation.id)) return 'WRONG_FEDERATION'
  if (!await isAdmitted(shown, federation)) return 'WRONG_SIGNER'
  for (const each of handovers) if (!await isHandedOver(each)) return 'WRONG_SIGNER'
  return undefined
}

/** Signed by founders, or by an inviter whom founders admitted. */
async function isAdmitted (shown: Certificate, federation: Federation): Promise<boolean> {
  const { issuer, signatures: [by, ...more] } = shown
  if (issuer == null) return await isFounded(shown, federation)
  if (by == null || more.length > 0 || by.peerId !== issuer.peerId || shown.role !== 'member' || issuer.role !== 'inviter') return false
  return await isFounded(issuer, federation) && await isSigned(bodyOf(shown), by)
}

/** Founders' signatures that a certificate still lacks. */
export function missingSignatures ({ document }: Federation, shown: Certificate | undefined): number {
  return shown == null || shown.issuer != null ? 0 : missingOf(document, shown.signatures)
}

/** Signed by enough founders, of now or of before, and by nobody else. */
export async function isFounded (value: Certificate | RootCertificate, { document }: Federation): Promise<boolean> {
  for (const founding of foundingsOf(document)) {
    if (await haveSigned(bodyOf(value), value.signatures, founding.founders) >= quorumOf(founding)) return true
  }
  return false
}

/** How many of `allowed` signed; 0 where any signature is wrong, somebody else's, or there twice: what is stored is to stay small. */
async function haveSigned (value: object, signatures: readonly Signature[], allowed: readonly string[]): Promise<number> {
  const signers = new Set<string>()
  for (const each of signatures) {
    if (signers.has(each.peerId) || !allowed.includes(each.peerId) || !await isSigned(value, each)) return 0
    signers.add(each.peerId)
  }
  return signers.size
}

async function isHandedOver (value: Handover): Promise<boolean> {
  const { signature: text, ...unsigned } = value
  return await isSigned(unsigned, { peerId: value.from, signature: text })
}

/** The key that holds the certificate after all hand-overs; undefined where they are no chain. */
export function holderOf ({ peerId }: CertificateBody, handovers: readonly Handover[]): string | undefined {
  let holder = peerId
  for (const each of handovers) {
    if (each.from !== holder) return undefined
    holder = each.to
  }
  return holder
}

function holderFault (shown: Certificate, handovers: readonly Handover[], peerId: string): CredentialFault | undefined {
  return holderOf(shown, handovers) === peerId ? undefined : 'OTHER_PEER'
}

/** Who is founder no more and was revoked could still sign with an earlier date. */
function formerFault (shown: Certificate, { document }: Federation, standing: KnownStanding): CredentialFault | undefined {
  const { signatures } = shown.issuer ?? shown
  const isEnded = signatures.some(({ peerId }) => !document.founders.includes(peerId) && standing.isRevoked(peerId, 'founder'))
  return isEnded ? 'REVOKED' : undefined
}

function standingFault (
  shown: Certificate,
  handovers: readonly Handover[],
  peerId: string,
  standing: KnownStanding
): CredentialFault | undefined {
  const keys = [shown.peerId, ...handovers.map(({ to }) => to)]
  const otherwise = handovers.some(({ from, to }) => (standing.successorOf(from) ?? to) !== to)
  const revoked = keys.some((each) => standing.isRevoked(each, shown.role)) ||
    (shown.issuer != null && standing.isRevoked(shown.issuer.peerId, 'inviter'))
  return revoked || otherwise || standing.successorOf(peerId) != null ? 'REVOKED' : undefined
}

function timeFault (shown: Certificate, now: number): CredentialFault | undefined {
  const parts = [shown, ...(shown.issuer == null ? [] : [shown.issuer])]
  if (parts.some(({ from }) => now < Date.parse(from))) return 'NOT_YET_VALID'
  return parts.some(({ to }) => now >= Date.parse(to)) ? 'EXPIRED' : undefined
}

export function bodyOf (value: Certificate | RootCertificate): CertificateBody {
  const { signatures: _, ...rest } = value
  const { issuer: __, ...unsigned } = rest as CertificateBody & { issuer?: unknown }
  return unsigned
}
