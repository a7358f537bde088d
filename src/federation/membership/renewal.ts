import type { PrivateKey } from '@libp2p/interface'
import { issueCertificate, type Certificate, type CertificateBody, type Credential } from './certificate.ts'

const DAY_MS = 86_400_000
/** So long before its end a certificate is renewed at the earliest, and in its last half. */
const MOST_LEAD_MS = 45 * DAY_MS
/** A certificate for less was meant to end. */
const LEAST_SPAN_MS = 90 * DAY_MS
/** Clocks of two hospitals differ: what follows on a certificate holds at all of them by then. */
const CLOCK_SLACK_MS = 600_000

/** With the end of the inviter's own certificate a certificate ends, too. Milliseconds since the epoch. */
export function endOf ({ to, issuer }: Certificate): number {
  return Math.min(Date.parse(to), issuer == null ? Infinity : Date.parse(issuer.to))
}

function spanOf ({ from, to }: CertificateBody): number {
  return Date.parse(to) - Date.parse(from)
}

function renewsFrom (old: Certificate): number {
  return Math.max(Date.parse(old.from), endOf(old) - Math.min(MOST_LEAD_MS, spanOf(old) / 2))
}

function isRenewable (old: Certificate, now: number): boolean {
  return spanOf(old) >= LEAST_SPAN_MS && now >= renewsFrom(old) + CLOCK_SLACK_MS && now < endOf(old)
}

/** What follows on a certificate: as long as it was, for the same site in the same role. It is the same whoever signs it. */
function following (old: Certificate): Omit<CertificateBody, 'version' | 'kind'> {
  const { federation, peerId, name, role } = old
  const from = renewsFrom(old)
  const to = Math.max(Date.parse(old.to), from + spanOf(old))
  return { federation, peerId, name, role, from: new Date(from).toISOString(), to: new Date(to).toISOString() }
}

/** Whether `next` is what follows on `old`, of the same inviter if any, and ends later. */
export function follows (next: Certificate, old: Certificate): boolean {
  const wanted = following(old)
  const isSame = Object.entries(wanted).every(([name, each]) => next[name as keyof typeof wanted] === each)
  return isSame && next.issuer?.peerId === old.issuer?.peerId && endOf(next) > endOf(old)
}

interface Renewer {
  readonly founders: readonly string[]
  readonly key: PrivateKey
  readonly peerId: string
  readonly credential: Credential
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What follows on a certificate that ends soon, signed by this site; undefined where it is not its to renew, or would not end later. */
export async function renewed (old: Certificate, { founders, key, peerId, credential, now }: Renewer): Promise<Certificate | undefined> {
  if (!isRenewable(old, now)) return undefined
  if (old.issuer == null) return founders.includes(peerId) ? await issueCertificate(following(old), key) : undefined
  const { certificate: own, handovers } = credential
  const isInviter = own?.role === 'inviter' && own.peerId === peerId && handovers.length === 0
  if (!isInviter || old.issuer.peerId !== peerId) return undefined
  const next = await issueCertificate(following(old), key, own)
  return follows(next, old) ? next : undefined
}
