import type { PrivateKey } from '@libp2p/interface'
import type { Federation } from '../document.ts'
import { issueCertificate, type Certificate, type CertificateBody, type Credential } from './certificate.ts'

/** So long before its end a certificate is renewed at the earliest, and in its last half. */
const MOST_LEAD_MS = 45 * 86_400_000

/** With the end of the inviter's own certificate a certificate ends, too. Milliseconds since the epoch. */
function endOf ({ to, issuer }: Certificate): number {
  return Math.min(Date.parse(to), issuer == null ? Infinity : Date.parse(issuer.to))
}

function spanOf ({ from, to }: CertificateBody): number {
  return Date.parse(to) - Date.parse(from)
}

function renewsFrom (old: Certificate): number {
  return endOf(old) - Math.min(MOST_LEAD_MS, spanOf(old) / 2)
}

function isRenewable (old: Certificate, now: number): boolean {
  return now >= renewsFrom(old) && now < endOf(old)
}

/** What follows on a certificate: as long as it was, for the same site in the same role. It is the same whoever signs it. */
function following (old: Certificate): Omit<CertificateBody, 'version' | 'kind'> {
  const { federation, peerId, name, role } = old
  const from = renewsFrom(old)
  const to = Math.max(Date.parse(old.to), from + spanOf(old))
  return { federation, peerId, name, role, from: new Date(from).toISOString(), to: new Date(to).toISOString() }
}

interface Renewer {
  readonly federation: Federation
  readonly key: PrivateKey
  readonly peerId: string
  readonly credential: Credential
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What follows on a certificate that ends soon, signed by this site; undefined where it is not its to renew. */
export async function renewed (old: Certificate, { federation, key, peerId, credential, now }: Renewer): Promise<Certificate | undefined> {
  if (!isRenewable(old, now)) return undefined
  if (old.issuer == null) return federation.document.founders.includes(peerId) ? await issueCertificate(following(old), key) : undefined
  const { certificate: own, handovers } = credential
  const isInviter = own?.role === 'inviter' && own.peerId === peerId && handovers.length === 0
  return isInviter && old.issuer.peerId === peerId ? await issueCertificate(following(old), key, own) : undefined
}

/** Whether `next` is what follows on `old`, whoever has signed it. */
export function follows (next: Certificate, old: Certificate): boolean {
  const wanted = following(old)
  const isSame = Object.entries(wanted).every(([name, each]) => next[name as keyof typeof wanted] === each)
  return isSame && (next.issuer == null) === (old.issuer == null) && endOf(next) > endOf(old)
}
