import { InputError } from '../../errors.ts'
import { sitePaths } from '../../home/paths.ts'
import { requireCurrentHome } from '../../home/version.ts'
import { readNewestFederation } from '../amendments/amendments.ts'
import type { Federation } from '../document.ts'
import { loadIdentity, readPeerId } from '../identity.ts'
import { peerIdText } from '../signed.ts'
import { issueCertificate, missingSignatures, siteName, verifyCredential, type Credential } from './certificate.ts'
import { appendEvent } from './events.ts'
import { readCredential, readStatements } from './files.ts'
import { encodeInvitation, MOST_ADDRESSES, requireAddresses } from './invitation.ts'
import { readKeyRing } from './network-key.ts'
import { Standing } from './statements.ts'

// Clocks of two hospitals differ.
const CLOCK_SLACK_MS = 600_000
const YEAR_MS = 31_536_000_000
const MOST_YEARS = 10

/** Whom to invite, and for how long. */
export interface InvitationInit {
  /** Of a founder, or of an inviter. */
  readonly home: string
  /** What createIdentity said at the other site. */
  readonly peerId: string
  /** Of the other site, shown to all; 1 to 60 printable characters. */
  readonly name: string
  /** An inviter may admit and revoke plain members; member by default. */
  readonly role?: 'member' | 'inviter'
  /** Milliseconds for which the certificate holds; a year by default. */
  readonly validMs?: number
  /** Addresses of sites that are up, eight at most. */
  readonly bootstrap?: readonly string[]
}

/** An invitation: one secret line, and what stands in it. */
export interface IssuedInvitation {
  /** One line, as secret as the network key in it. */
  readonly invitation: string
  /** When the certificate ends, ISO 8601; absent for a founder, who needs none. */
  readonly validTo?: string
  /** Founders who must still sign it: "consilium federation sign". */
  readonly missingSignatures: number
}

/**
 * Admits another site: the invitation with which it joins. @throws InputError unless this site may admit it now
 * @example
 * ```ts
 * import { createFederation, createIdentity, inviteSite } from 'consilium'
 *
 * await createFederation({ home: 'north', name: 'Two towns', rounds: 2 })
 * const peerId = await createIdentity('south')
 * const { invitation, missingSignatures } = await inviteSite({ home: 'north', peerId, name: 'South' })
 * console.log(invitation.slice(0, 10), missingSignatures) // consilium1 0
 * ```
 */
export async function inviteSite (init: InvitationInit): Promise<IssuedInvitation> {
  const { home, peerId, name, role = 'member', validMs = YEAR_MS, bootstrap = [] } = init
  requireValid({ peerId, name, validMs, bootstrap })
  await requireCurrentHome(home)
  const paths = sitePaths(home)
  const federation = await readNewestFederation(paths)
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  const issuer = await issuingCertificate(home, federation, standing)
  await requireOther(home, peerId, role, standing)
  const now = Date.now()
  const period = { from: new Date(now - CLOCK_SLACK_MS).toISOString(), to: new Date(now + validMs).toISOString() }
  if (issuer != null && role === 'inviter') throw new InputError('an inviter can admit plain members only: ask a founder')
  const certificate = federation.document.founders.includes(peerId)
    ? undefined
    : await issueCertificate({ federation: federation.id, peerId, name, role, ...period }, await loadIdentity(paths.identity), issuer)
  const invitation = encodeInvitation({ federation, certificate, ring: await readKeyRing(paths.networkKey), bootstrap })
  await appendEvent(paths.membershipEvents, { kind: 'membership', event: 'invited', peer: peerId, detail: `${role} ${name}` })
  return {
    invitation,
    missingSignatures: missingSignatures(federation, certificate),
    ...(certificate == null ? {} : { validTo: certificate.to })
  }
}

function requireValid ({ peerId, name, validMs, bootstrap }: Required<Omit<InvitationInit, 'home' | 'role'>>): void {
  if (!peerIdText.safeParse(peerId).success) throw new InputError(`${peerId} is not a peer id (12D3KooW…): the other site's key gives it`)
  if (!siteName.safeParse(name).success) throw new InputError('the name of a site must have 1 to 60 printable characters')
  if (!(validMs >= 1_000 && validMs <= MOST_YEARS * YEAR_MS)) {
    throw new InputError(`an invitation must hold for one second to ${MOST_YEARS} years`)
  }
  if (bootstrap.length > MOST_ADDRESSES) throw new InputError(`an invitation holds ${MOST_ADDRESSES} addresses at most`)
  requireAddresses(bootstrap)
}

/** An inviter's own certificate; none for a founder. @throws InputError for a site that may admit nobody */
async function issuingCertificate (home: string, federation: Federation, standing: Standing): Promise<Credential['certificate']> {
  const paths = sitePaths(home)
  const credential = await readCredential(paths.certificate)
  const peerId = await readPeerId(paths.identity)
  const verdict = await verifyCredential(credential, { federation, peerId, now: Date.now(), standing })
  if ('fault' in verdict || verdict.member.role === 'member') {
    throw new InputError('only a founder or an inviter with a valid certificate can invite: ask one of them')
  }
  if (credential.handovers.length > 0) {
    throw new InputError(
      'this inviter has a new key, which its certificate does not name: ask the founders to invite it again as an inviter'
    )
  }
  return verdict.member.role === 'founder' ? undefined : credential.certificate
}

async function requireOther (home: string, peerId: string, role: 'member' | 'inviter', standing: Standing): Promise<void> {
  if (peerId === await readPeerId(sitePaths(home).identity)) {
    throw new InputError(`${peerId} is this site itself, which is in the federation: give what "consilium init" printed at the other site`)
  }
  if (standing.isRevoked(peerId, role)) {
    throw new InputError(
      `${peerId} was revoked, which is permanent: let that site run "consilium init" in a new home and invite the new peer id`
    )
  }
}
