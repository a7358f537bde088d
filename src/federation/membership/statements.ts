import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { ProtocolError } from '../../errors.ts'
import { quorumOf, type Federation } from '../document.ts'
import { canonicalBytes, federationIdText, isSigned, peerIdText, sign, signature } from '../signed.ts'
import {
  credential,
  holderOf,
  isFounded,
  rootCertificate,
  signerFault,
  type KnownStanding,
  type MemberRole,
  type RootCertificate
} from './certificate.ts'

const revocationBody = z.strictObject({
  version: z.literal(1),
  kind: z.literal('revocation'),
  federation: federationIdText,
  peerId: peerIdText
})
const revocation = revocationBody.extend({
  /** Of founders, or of inviters with their certificates. */
  signatures: z.array(signature.extend({ certificate: rootCertificate.optional() })).min(1).max(64)
})
/** A site has another key from now on. */
const succession = z.strictObject({ version: z.literal(1), kind: z.literal('succession'), credential })
const statement = z.discriminatedUnion('kind', [revocation, succession])

export type Statement = z.infer<typeof statement>
type Revocation = z.infer<typeof revocation>
type Succession = z.infer<typeof succession>

/** Beyond this many nothing more is learnt: a federation has at most some hundred sites. */
const MOST_STATEMENTS = 4_096
const MOST_BY_ONE_INVITER = 512

/**
 * All revocations and hand-overs that a site knows: a set that only grows, so that any two sites that talk know the same afterwards.
 * A site is revoked once the quorum of founders or, for a plain member, one inviter has signed it.
 */
export class Standing implements KnownStanding {
  readonly #federation: Federation
  readonly #revocations = new Map<string, Revocation>()
  readonly #successions = new Map<string, Succession>()

  constructor (federation: Federation) {
    this.#federation = federation
  }

  isRevoked (peerId: string, role: MemberRole): boolean {
    const { founders } = this.#federation.document
    const signers = this.#revocations.get(peerId)?.signatures ?? []
    if (signers.filter((each) => founders.includes(each.peerId)).length >= quorumOf(this.#federation.document)) return true
    return role === 'member' && signers.some((each) => each.certificate != null)
  }

  successorOf (peerId: string): string | undefined {
    return this.#successions.get(peerId)?.credential.handovers.at(-1)?.to
  }

  /** Founders who have signed the revocation of this site, whether or not they are enough. */
  revokers (peerId: string): string[] {
    return (this.#revocations.get(peerId)?.signatures ?? []).map((each) => each.peerId)
  }

  get statements (): Statement[] {
    const byKey = <T>(map: ReadonlyMap<string, T>): T[] => [...map].sort(([a], [b]) => a < b ? -1 : 1).map(([, value]) => value)
    return [...byKey(this.#revocations), ...byKey(this.#successions)]
  }

  /** SHA-256 over all statements in order; equal where two sites know the same. */
  get digest (): Uint8Array {
    const hash = createHash('sha256')
    for (const each of this.statements) hash.update(canonicalBytes(each))
    return hash.digest()
  }

  /** Takes in what is new and returns it as it is known now. @throws ProtocolError for a statement that nobody may make. */
  async learn (values: readonly unknown[]): Promise<Statement[]> {
    const news: Statement[] = []
    for (const value of values) {
      const parsed = statement.safeParse(value)
      if (!parsed.success) {
        throw new ProtocolError(
          `a statement on membership is malformed: ${parsed.error.issues[0]?.path.join('.') ?? ''}: ${
            parsed.error.issues[0]?.message ?? 'invalid'
          }`
        )
      }
      const learnt = parsed.data.kind === 'revocation' ? await this.#learnRevocation(parsed.data) : await this.#learnSuccession(parsed.data)
      if (learnt != null) news.push(learnt)
    }
    return news
  }

  async #learnRevocation (value: Revocation): Promise<Statement | undefined> {
    if (value.federation !== this.#federation.id) throw new ProtocolError('a revocation of another federation')
    const known = this.#revocations.get(value.peerId)?.signatures ?? []
    const unknown = value.signatures.filter(({ peerId }) => !known.some((each) => each.peerId === peerId))
    for (const each of unknown) await this.#requireRevoker(value, each)
    const fresh = unknown.filter((each) => each.certificate == null || this.#countOf(each.peerId) < MOST_BY_ONE_INVITER)
    if (fresh.length === 0 || this.#isFull(known.length === 0)) return undefined
    const signatures = [...known, ...fresh].sort((a, b) => a.peerId < b.peerId ? -1 : 1).slice(0, 64)
    const merged = { ...value, signatures }
    this.#revocations.set(value.peerId, merged)
    return merged
  }

  async #requireRevoker (
    { signatures: _, ...unsigned }: Revocation,
    { certificate, ...by }: Revocation['signatures'][number]
  ): Promise<void> {
    const { document } = this.#federation
    const mayRevoke = certificate == null
      ? document.founders.includes(by.peerId)
      : certificate.role === 'inviter' && certificate.peerId === by.peerId && certificate.federation === this.#federation.id &&
        await isFounded(certificate, this.#federation)
    if (!mayRevoke || !await isSigned(unsigned, by)) throw new ProtocolError(`a revocation signed by ${by.peerId}, who may not revoke`)
  }

  async #learnSuccession (value: Succession): Promise<Statement | undefined> {
    const { certificate, handovers } = value.credential
    const last = handovers.at(-1)
    if (certificate == null || last == null || holderOf(certificate, handovers) == null) {
      throw new ProtocolError('a hand-over without its chain')
    }
    // The first one counts: whoever steals a retired key comes too late.
    if (this.#successions.has(last.from)) return undefined
    if (await signerFault(value.credential, this.#federation) != null) {
      throw new ProtocolError('a hand-over that is not signed as it must be')
    }
    if (this.#isFull(true)) return undefined
    this.#successions.set(last.from, value)
    return value
  }

  #isFull (grows: boolean): boolean {
    return grows && this.#revocations.size + this.#successions.size >= MOST_STATEMENTS
  }

  #countOf (inviter: string): number {
    return [...this.#revocations.values()].filter(({ signatures }) => signatures.some(({ peerId }) => peerId === inviter)).length
  }
}

/** A founder's, or (with its own certificate) an inviter's word that a site is a member no more. */
export async function signRevocation (
  federation: string,
  peerId: string,
  key: PrivateKey,
  certificate?: RootCertificate
): Promise<Statement> {
  const unsigned = { version: 1, kind: 'revocation', federation, peerId } as const
  return { ...unsigned, signatures: [{ ...await sign(unsigned, key), ...(certificate == null ? {} : { certificate }) }] }
}
