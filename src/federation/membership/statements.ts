import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { ProtocolError } from '../../errors.ts'
import { foundingsOf, quorumOf, type Federation } from '../document.ts'
import { canonicalBytes, federationIdText, isSigned, peerIdText, sign, signature } from '../signed.ts'
import {
  credential,
  holderOf,
  isFounded,
  nobodyAfter,
  rootCertificate,
  signerFault,
  type Certificate,
  type Handover,
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

/**
 * Hand-overs, and revocations by inviters, that are kept: a federation has at most some hundred sites, and one inviter, or what it
 * invited, may take up a part of the room only. What founders revoke always has room.
 */
const MOST = { handovers: 512, handoversOfOne: 64, revocations: 1_024, revocationsByOne: 512 } as const
const MOST_SIGNATURES = 64
/** Former keys of one that are revoked with it. */
const MOST_FORMER = 16

/**
 * All revocations and hand-overs that a site knows: a set that only grows, so that any two sites that talk know the same afterwards.
 * A site is revoked once the quorum of founders or, for a plain member, one inviter who is not revoked itself has signed it.
 */
export class Standing implements KnownStanding {
  #federation: Federation
  readonly #revocations = new Map<string, Revocation>()
  /** By the key that handed over. */
  readonly #successions = new Map<string, Succession>()

  constructor (federation: Federation) {
    this.#federation = federation
  }

  /** From now on the founders of this document decide. */
  use (federation: Federation): void {
    this.#federation = federation
  }

  isRevoked (peerId: string, role: MemberRole): boolean {
    return this.#hasQuorum(peerId) || (role === 'member' && this.#isEndedByInviter(peerId))
  }

  successorOf (peerId: string): string | undefined {
    return this.#successions.get(peerId)?.credential.handovers.at(-1)?.to
  }

  /** Whether this site is a member no more by its own word. */
  hasLeft (peerId: string): boolean {
    const isOwnWord = this.#isFounder({ peerId }) && this.#hasQuorum(peerId) && this.revokers(peerId).includes(peerId)
    return isOwnWord || this.successorOf(peerId) === nobodyAfter(this.#federation.id, peerId)
  }

  /**
   * Keys that say of themselves that they handed over to this one, or to one that did. It need not know them: nothing that becomes of
   * them may be held against it.
   */
  formerKeysOf (peerId: string): string[] {
    const former = new Set<string>()
    const look = (key: string): void => {
      for (const [from, { credential: shown }] of this.#successions) {
        if (shown.handovers.at(-1)?.to !== key || former.has(from) || from === peerId || former.size >= MOST_FORMER) continue
        former.add(from)
        look(from)
      }
    }
    look(peerId)
    return [...former]
  }

  /** Sites that the founders of now have revoked, or those of before. */
  get revokedByFounders (): string[] {
    return [...new Set([...this.#federation.document.amends?.revoked ?? [], ...this.#revocations.keys()])]
      .filter((peerId) => this.#hasQuorum(peerId))
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

  /**
   * Takes in what is new and returns it as it is known now. `now` (milliseconds since the epoch) is for what others say: an inviter's word
   * counts where it was heard before its certificate ended. @throws ProtocolError for a statement that nobody may make.
   */
  async learn (values: readonly unknown[], now = -Infinity): Promise<Statement[]> {
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
      const { data } = parsed
      news.push(...data.kind === 'revocation' ? await this.#learnRevocation(data, now) : await this.#learnSuccession(data))
    }
    return news
  }

  async #learnRevocation (value: Revocation, now: number): Promise<Statement[]> {
    if (value.federation !== this.#federation.id) throw new ProtocolError('a revocation of another federation')
    const known = this.#revocations.get(value.peerId)?.signatures ?? []
    const unknown = value.signatures.filter(({ peerId }) => !known.some((each) => each.peerId === peerId))
    for (const each of unknown) await this.#requireRevoker(value, each)
    const fresh = unknown.filter((each) => this.#isFounder(each) || this.#mayStillRevoke(each, now))
    const signatures = this.#mostOf([...known, ...fresh])
    if (signatures.length === known.length && signatures.every((each) => known.includes(each))) return []
    const merged = { ...value, signatures }
    this.#revocations.set(value.peerId, merged)
    return [merged]
  }

  /** Founders' before those of any number of inviters. */
  #mostOf (signatures: Revocation['signatures']): Revocation['signatures'] {
    const kept = signatures.toSorted((a, b) => Number(this.#isFounder(b)) - Number(this.#isFounder(a))).slice(0, MOST_SIGNATURES)
    return kept.sort((a, b) => a.peerId < b.peerId ? -1 : 1)
  }

  async #requireRevoker (
    { signatures: _, ...unsigned }: Revocation,
    { certificate, ...by }: Revocation['signatures'][number]
  ): Promise<void> {
    const mayRevoke = certificate == null
      ? this.#isFounder(by)
      : certificate.role === 'inviter' && certificate.peerId === by.peerId && certificate.federation === this.#federation.id &&
        await isFounded(certificate, this.#federation)
    if (!mayRevoke || !await isSigned(unsigned, by)) throw new ProtocolError(`a revocation signed by ${by.peerId}, who may not revoke`)
  }

  /** Its certificate has not ended, and there is room. */
  #mayStillRevoke ({ peerId, certificate }: Revocation['signatures'][number], now: number): boolean {
    const byInviters = [...this.#revocations.values()].filter(({ signatures }) => signatures.some((each) => each.certificate != null))
    const byThisOne = byInviters.filter(({ signatures }) => signatures.some((each) => each.peerId === peerId))
    return certificate != null && now < Date.parse(certificate.to) &&
      byInviters.length < MOST.revocations && byThisOne.length < MOST.revocationsByOne
  }

  async #learnSuccession (value: Succession): Promise<Statement[]> {
    const { certificate, handovers } = value.credential
    if (certificate == null || handovers.length === 0 || holderOf(certificate, handovers) == null) {
      throw new ProtocolError('a hand-over without its chain')
    }
    const fresh = handovers.filter(({ from }) => !this.#successions.has(from))
    // The first one counts: whoever steals a retired key comes too late.
    if (fresh.length === 0 || this.holderInstead(handovers) != null) return []
    if (await signerFault(value.credential, this.#federation) != null) {
      throw new ProtocolError('a hand-over that is not signed as it must be')
    }
    if (!this.#hasRoomFor(certificate, fresh.length)) return []
    return fresh.map((each) => {
      const steps = handovers.slice(0, handovers.indexOf(each) + 1)
      const learnt: Succession = { version: 1, kind: 'succession', credential: { certificate, handovers: steps } }
      this.#successions.set(each.from, learnt)
      return learnt
    })
  }

  /** Where these hand-overs branch off from those that are known, or come back to themselves, the key that holds the certificate. */
  holderInstead (handovers: readonly Handover[]): string | undefined {
    const keys = new Set<string>()
    for (const { from, to } of handovers) {
      const known = this.successorOf(from) ?? to
      if (known !== to) return known
      keys.add(from)
      if (keys.has(to)) return to
    }
    return undefined
  }

  #hasRoomFor (certificate: Certificate, more: number): boolean {
    const owner = ({ issuer, peerId }: Certificate): string => issuer?.peerId ?? peerId
    const own = [...this.#successions.values()].filter((each) => owner(each.credential.certificate!) === owner(certificate))
    return this.#successions.size + more <= MOST.handovers && own.length + more <= MOST.handoversOfOne
  }

  #hasQuorum (peerId: string): boolean {
    const { document } = this.#federation
    const signers = this.#revocations.get(peerId)?.signatures ?? []
    return document.amends?.revoked?.includes(peerId) === true ||
      signers.filter((each) => document.founders.includes(each.peerId)).length >= quorumOf(document)
  }

  #isEndedByInviter (peerId: string): boolean {
    const signers = this.#revocations.get(peerId)?.signatures ?? []
    return signers.some((each) => each.certificate != null && !this.isRevoked(each.peerId, 'inviter'))
  }

  /** Now or before: what a former founder signed stays known, and counts no more. */
  #isFounder ({ peerId }: { readonly peerId: string }): boolean {
    return foundingsOf(this.#federation.document).some(({ founders }) => founders.includes(peerId))
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
