import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { isMultiaddress, MOST_ADDRESS_CHARACTERS } from '../../settings/site/multiaddress.ts'
import { parseFederation, quorumOf, signersOfDocument, type Federation, type FederationDocument } from '../document.ts'
import { canonicalBytes } from '../signed.ts'
import {
  certificate,
  missingSignatures,
  verifyCredential,
  type Certificate,
  type CredentialFault,
  type KnownStanding
} from './certificate.ts'
import { keyHash, keyStatement, type KeyRing } from './key-ring.ts'

const PREFIX = 'consilium1'
/** Fits into a mail, a chat message or a QR code's neighbourhood. */
export const MAX_INVITATION_BYTES = 4_096
export const MOST_ADDRESSES = 8
const MAX_UNPACKED_BYTES = 65_536
const CHECKSUM_BYTES = 6

const content = z.strictObject({
  version: z.literal(1),
  document: z.unknown(),
  /** Missing for a founder, whom the document names. */
  certificate: certificate.optional(),
  networkKey: z.string().regex(/^[0-9a-f]{64}$/),
  keyStatement: keyStatement.optional(),
  bootstrap: z.array(z.string().startsWith('/').max(MOST_ADDRESS_CHARACTERS)).max(MOST_ADDRESSES)
})

export interface Invitation {
  readonly federation: Federation
  readonly certificate?: Certificate | undefined
  readonly ring: KeyRing
  readonly bootstrap: readonly string[]
}

/** One line of text that holds all a site needs to join. It is as secret as the network key in it. @throws InputError beyond 4 KiB. */
export function encodeInvitation ({ federation, certificate: shown, ring, bootstrap }: Invitation): string {
  const value = {
    version: 1,
    document: withoutSpareSignatures(federation.document),
    networkKey: ring.current,
    bootstrap: [...bootstrap],
    ...(shown == null ? {} : { certificate: shown }),
    ...(ring.statement == null ? {} : { keyStatement: ring.statement })
  }
  const packed = deflateRawSync(canonicalBytes(value), { level: 9 })
  const text = PREFIX + Buffer.concat([checksum(packed), packed]).toString('base64url')
  if (text.length > MAX_INVITATION_BYTES) {
    throw new InputError(
      `the invitation would have ${text.length} characters, more than ${MAX_INVITATION_BYTES}: give fewer --bootstrap addresses, or ` +
        'have fewer hints or founders in the document'
    )
  }
  return text
}

/** A sentence about the first that no site can be reached at, if any. */
export function addressFault (addresses: readonly string[]): string | undefined {
  const wrong = addresses.find((each) => each.length > MOST_ADDRESS_CHARACTERS || !isMultiaddress(each))
  return wrong == null ? undefined : `${wrong} is not a multiaddress: it looks like /ip4/10.0.0.5/tcp/4001/p2p/12D3…`
}

/** @throws InputError naming the first that no site can be reached at. */
export function requireAddresses (addresses: readonly string[]): void {
  const fault = addressFault(addresses)
  if (fault != null) throw new InputError(fault)
}

export function isInvitation (text: string): boolean {
  return text.trimStart().startsWith(PREFIX)
}

/** @throws InputError for a text that is none, was mistyped or cut, or holds a document that was changed. */
export async function decodeInvitation (text: string): Promise<Invitation> {
  const parsed = content.safeParse(unpack(text.replace(/\s+/g, '')))
  if (!parsed.success) {
    throw new InputError(
      `the invitation is malformed (${parsed.error.issues[0]?.path.join('.') ?? ''}: ${
        parsed.error.issues[0]?.message ?? 'invalid'
      }): ask for a new one`
    )
  }
  const { document, certificate: shown, networkKey, keyStatement: statement, bootstrap } = parsed.data
  const federation = await parseFederation(document, 'the document in the invitation')
  if (statement != null && statement.hash !== keyHash(federation.id, networkKey)) {
    throw new InputError('the network key in the invitation is not the one that its statement names: ask for a new invitation')
  }
  return {
    federation,
    certificate: shown,
    ring: { current: networkKey, previous: [], ...(statement == null ? {} : { statement }) },
    bootstrap
  }
}

const FAULTS: Record<CredentialFault, string> = {
  NONE: 'the invitation holds no certificate, and this site is no founder',
  MALFORMED: 'the certificate in the invitation is malformed',
  WRONG_FEDERATION: 'the certificate in the invitation is of another federation',
  WRONG_SIGNER: 'the certificate in the invitation is not signed by those who may admit sites',
  OTHER_PEER: 'the invitation is for another site',
  REVOKED: 'the certificate in the invitation was revoked',
  NOT_YET_VALID: 'the invitation is not valid yet: check the clock of this machine',
  EXPIRED: 'the invitation has expired'
}

/** @throws InputError unless this site, as far as it knows, may join with it now. */
export async function requireUsableInvitation (
  { federation, certificate: shown }: Invitation,
  { peerId, now, standing }: { peerId: string, now: number, standing: KnownStanding }
): Promise<void> {
  requireSignatures(federation, shown)
  if (standing.isRevoked(peerId, shown?.role ?? 'founder')) {
    throw new InputError(`${peerId} was revoked, which is permanent: run "consilium init" in a new home and have the new peer id invited`)
  }
  const verdict = await verifyCredential({ ...(shown == null ? {} : { certificate: shown }) }, { federation, peerId, now, standing })
  // A founder needs no certificate, so that nobody looked whom this one names.
  const names = shown?.peerId ?? peerId
  const fault = 'fault' in verdict ? verdict.fault : names === peerId ? undefined : 'OTHER_PEER'
  if (fault != null) throw new InputError(`${FAULTS[fault]}: have ${peerId} invited${fault === 'OTHER_PEER' ? `, not ${names}` : ' again'}`)
}

function requireSignatures (federation: Federation, shown: Certificate | undefined): void {
  const missing = missingSignatures(federation, shown)
  if (missing > 0) {
    throw new InputError(
      `the invitation lacks the signatures of ${missing} more ${
        missing === 1 ? 'founder' : 'founders'
      }: they add them with "consilium federation sign INVITATION"`
    )
  }
}

function unpack (text: string): unknown {
  if (!text.startsWith(PREFIX)) throw new InputError(`this is no invitation: it begins with ${PREFIX}`)
  if (text.length > MAX_INVITATION_BYTES) {
    throw new InputError(`an invitation has at most ${MAX_INVITATION_BYTES} characters, and this has ${text.length}: copy it again`)
  }
  const body = text.slice(PREFIX.length)
  const bytes = Buffer.from(body, 'base64url')
  const packed = bytes.subarray(CHECKSUM_BYTES)
  if (bytes.toString('base64url') !== body || !checksum(packed).equals(bytes.subarray(0, CHECKSUM_BYTES))) {
    throw new InputError('the invitation was mistyped or cut: copy it again as a whole')
  }
  try {
    return JSON.parse(inflateRawSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES }).toString('utf8'))
  } catch {
    throw new InputError('the invitation is malformed: ask for a new one')
  }
}

function checksum (bytes: Uint8Array): Buffer {
  return createHash('sha256').update('consilium invitation').update(bytes).digest().subarray(0, CHECKSUM_BYTES)
}

/** The quorum's signatures are enough. */
function withoutSpareSignatures (document: FederationDocument): FederationDocument {
  return { ...document, signatures: document.signatures.slice(0, quorumOf(signersOfDocument(document))) }
}
