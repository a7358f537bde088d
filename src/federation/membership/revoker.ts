import { InputError } from '../../errors.ts'
import type { Federation } from '../document.ts'
import type { Credential, MemberRole, RootCertificate } from './certificate.ts'

interface Revoker {
  readonly federation: Federation
  /** This site. */
  readonly self: string
  readonly credential: Credential
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The certificate by which this site revokes another; a founder needs none. @throws InputError where it may not. */
export function revokerOf (
  { federation, self, credential: { certificate, handovers }, now }: Revoker,
  { peerId, role }: { readonly peerId: string, readonly role: MemberRole }
): RootCertificate | undefined {
  if (peerId === self) throw new InputError('a site cannot revoke itself: "consilium leave" ends its own membership')
  if (federation.document.founders.includes(self)) return undefined
  if (certificate?.role !== 'inviter' || handovers.length > 0) {
    throw new InputError('only a founder or an inviter can revoke: ask one of them')
  }
  if (Date.parse(certificate.to) <= now) {
    throw new InputError('the certificate of this site has ended, so that it can revoke nobody: ask a founder for a new invitation')
  }
  if (role !== 'member') {
    throw new InputError(`${peerId} is ${role === 'founder' ? 'a founder' : 'an inviter'}: only founders can revoke it`)
  }
  return certificate
}
