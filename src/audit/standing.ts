import type { Federation } from '../federation/document.ts'
import { verifyCredential } from '../federation/membership/certificate.ts'
import { Standing } from '../federation/membership/statements.ts'
import type { BundleHeader } from './bundle.ts'

/**
 * Whether the site that made this bundle belonged to the federation when it made it, by the document and the bundle alone: a revocation
 * that came since is not known here.
 */
export async function standingOf (
  { peerId, federation: id, made, credential }: BundleHeader,
  federation: Federation
): Promise<{ readonly member: boolean, readonly why: string }> {
  if (id !== federation.id) return { member: false, why: `the bundle is of federation ${id}, and the document is of ${federation.id}` }
  const verdict = await verifyCredential(credential, { federation, peerId, now: Date.parse(made), standing: new Standing(federation) })
  if ('fault' in verdict) return { member: false, why: `${peerId} shows no certificate of this federation that holds (${verdict.fault})` }
  const { role, name } = verdict.member
  return { member: true, why: role === 'founder' ? 'the document names it as a founder' : `it is certified as ${role} "${name}"` }
}
