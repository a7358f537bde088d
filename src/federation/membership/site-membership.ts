import type { PrivateKey } from '@libp2p/interface'
import { InputError, ProtocolError } from '../../errors.ts'
import { writeCheckedJson } from '../../home/checksum.ts'
import type { SitePaths } from '../../home/paths.ts'
import type { CredentialReason, Greeting, KeyVersion, MembershipPort, NetworkKey } from '../../protocol/membership/index.ts'
import { quorumOf, type Federation } from '../document.ts'
import { canonicalBytes } from '../signed.ts'
import { CatchUp } from './catch-up.ts'
import { verifyCredential, type Credential, type Member, type MemberRole, type RootCertificate } from './certificate.ts'
import { takeEvents, type MembershipEvent } from './events.ts'
import { readCredential, readStatements } from './files.ts'
import { epochOf, isNewer, keyHash, makeKey, requireKey, withKey, withoutExpired, type KeyRing } from './key-ring.ts'
import { MemberBook } from './member-book.ts'
import { readKeyRing, writeKeyRing } from './network-key.ts'
import { signRevocation, Standing, type Statement } from './statements.ts'

export interface SiteMembershipInit {
  readonly paths: SitePaths
  readonly federation: Federation
  readonly key: PrivateKey
  readonly peerId: string
  readonly onEvent: (event: MembershipEvent) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly graceMs?: number
}

export interface Revoked {
  readonly peerId: string
  /** Founders' signatures so far and how many it takes; an inviter's word is enough for a plain member. */
  readonly signatures: number
  readonly quorum: number
  readonly effective: boolean
}

/** Everything a site knows about who belongs to its federation, on disk before anybody acts on it. */
export class SiteMembership implements MembershipPort {
  readonly federation: Federation
  readonly standing: Standing
  readonly book: MemberBook
  readonly #init: SiteMembershipInit
  readonly #now: () => number
  #credential: Credential
  readonly #catchUp: CatchUp
  readonly #members = new Map<string, Member>()
  #ring: KeyRing
  #lock: Promise<unknown> = Promise.resolve()
  /** The keys that this site takes have changed. */
  onKeys: (ring: KeyRing) => void = () => {}

  private constructor (init: SiteMembershipInit, parts: { standing: Standing, book: MemberBook, credential: Credential, ring: KeyRing }) {
    this.#init = init
    this.#now = init.now ?? Date.now
    this.federation = init.federation
    this.standing = parts.standing
    this.book = parts.book
    this.#credential = parts.credential
    this.#ring = parts.ring
    const others = [
      ...parts.book.entries.filter(({ lastSeen }) => lastSeen != null),
      ...init.federation.document.founders.map((peerId) => ({ peerId, role: 'founder' as const }))
    ]
    this.#catchUp = new CatchUp(
      others.filter(({ peerId, role }) => peerId !== init.peerId && !parts.standing.isRevoked(peerId, role)).map(({ peerId }) => peerId),
      init.graceMs
    )
  }

  /** @throws InputError for a damaged file or a key file that others may read. */
  static async open (init: SiteMembershipInit): Promise<SiteMembership> {
    const { paths, federation, now = Date.now } = init
    const standing = new Standing(federation)
    await readStatements(paths.statements, standing)
    const ring = withoutExpired(await readKeyRing(paths.networkKey), now())
    return new SiteMembership(init, {
      standing,
      ring,
      book: await MemberBook.open(paths.members, now),
      credential: await readCredential(paths.certificate)
    })
  }

  get ring (): KeyRing {
    return this.#ring
  }

  /** What is wrong with this site's own credential, if anything. */
  async ownFault (): Promise<CredentialReason | undefined> {
    const verdict = await this.#verify(this.#init.peerId, this.#credential)
    return 'fault' in verdict ? verdict.fault : undefined
  }

  start (): void {
    this.#catchUp.start()
  }

  async stop (): Promise<void> {
    this.#catchUp.stop()
    await this.#lock
    await this.book.save()
  }

  greeting (): Greeting {
    const hash = keyHash(this.federation.id, this.#ring.current)
    return {
      credential: canonicalBytes(this.#credential),
      digest: this.standing.digest,
      key: { epoch: epochOf(this.#ring), hash: Buffer.from(hash, 'hex') }
    }
  }

  async judge (peer: string, bytes: Uint8Array): Promise<CredentialReason | undefined> {
    const verdict = await this.#verify(peer, parseBytes(bytes))
    if ('fault' in verdict) {
      this.#members.delete(peer)
      return verdict.fault
    }
    this.#members.set(peer, verdict.member)
    return undefined
  }

  /** As its credential said when it was last judged. */
  memberOf (peer: string): Member | undefined {
    return this.#members.get(peer)
  }

  /** A key that was revoked or handed over, whatever its role. */
  isOutcast (peer: string): boolean {
    return this.standing.isRevoked(peer, this.#roleOf(peer)) || this.standing.successorOf(peer) != null
  }

  /** Forgets a peer that is gone. */
  left (peer: string): void {
    this.book.seen(peer)
    this.#members.delete(peer)
  }

  statements (): Uint8Array[] {
    return this.standing.statements.map(canonicalBytes)
  }

  async learn (statements: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return statements.length === 0 ? [] : (await this.#take(statements.map(parseBytes))).map(canonicalBytes)
  }

  async caughtUp (peer: string): Promise<void> {
    await this.#catchUp.after(peer)
  }

  newerKey ({ epoch, hash }: KeyVersion): NetworkKey | undefined {
    const { statement, current } = this.#ring
    if (statement == null || !isNewer(statement, { epoch, hash: Buffer.from(hash).toString('hex') })) return undefined
    return { statement: canonicalBytes(statement), key: Buffer.from(current, 'hex') }
  }

  async learnKey ({ statement, key }: NetworkKey): Promise<boolean> {
    const parsed = await requireKey(this.federation, parseBytes(statement), key)
    return await this.#locked(async () => {
      if (!isNewer(parsed, { epoch: epochOf(this.#ring), hash: keyHash(this.federation.id, this.#ring.current) })) return false
      await this.#useRing(withKey(this.#ring, Buffer.from(key).toString('hex'), parsed))
      this.#init.onEvent({ kind: 'membership', event: 'key received', peer: parsed.signature.peerId, detail: `epoch ${parsed.epoch}` })
      return true
    })
  }

  /** Signs that a site is a member no more, for good. @throws InputError where this site may not. */
  async issueRevocation (peerId: string): Promise<Revoked & { news: Uint8Array[] }> {
    const { federation, key } = this.#init
    const role = this.#roleOf(peerId)
    const inviter = this.#revoker(peerId, role)
    const learnt = await this.#take([await signRevocation(federation.id, peerId, key, inviter)])
    const signatures = this.standing.revokers(peerId).length
    this.#init.onEvent({ kind: 'membership', event: 'revocation signed', peer: peerId })
    return {
      peerId,
      signatures,
      quorum: quorumOf(federation.document),
      effective: this.standing.isRevoked(peerId, role),
      news: learnt.map(canonicalBytes)
    }
  }

  /** The certificate by which this site revokes; a founder needs none. @throws InputError where it may not. */
  #revoker (peerId: string, role: MemberRole): RootCertificate | undefined {
    const { federation, peerId: self } = this.#init
    const { certificate, handovers } = this.#credential
    if (peerId === self) throw new InputError('a site cannot revoke itself: let another founder or inviter do it')
    if (federation.document.founders.includes(self)) return undefined
    if (certificate?.role !== 'inviter' || handovers.length > 0) {
      throw new InputError('only a founder or an inviter can revoke: ask one of them')
    }
    if (role !== 'member') {
      throw new InputError(`${peerId} is ${role === 'founder' ? 'a founder' : 'an inviter'}: only founders can revoke it`)
    }
    return certificate
  }

  #roleOf (peerId: string): MemberRole {
    return this.federation.document.founders.includes(peerId) ? 'founder' : this.book.roleOf(peerId) ?? 'member'
  }

  /** Makes a new network key; the old ones are accepted for `overlapMs` more. @throws InputError unless this site is a founder. */
  async rotateKey (overlapMs: number): Promise<{ epoch: number, overlapUntil: string, news: NetworkKey }> {
    const { federation, key: founder, peerId } = this.#init
    if (!federation.document.founders.includes(peerId)) throw new InputError('only a founder can make a new network key: ask one of them')
    const overlapUntil = new Date(this.#now() + overlapMs).toISOString()
    return await this.#locked(async () => {
      const { key, statement } = await makeKey(federation, this.#ring, founder, overlapUntil)
      await this.#useRing(withKey(this.#ring, key, statement))
      this.#init.onEvent({
        kind: 'membership',
        event: 'key rotated',
        peer: peerId,
        detail: `epoch ${statement.epoch}, overlap until ${overlapUntil}`
      })
      return { epoch: statement.epoch, overlapUntil, news: { statement: canonicalBytes(statement), key: Buffer.from(key, 'hex') } }
    })
  }

  /** What is to be done every few seconds: keys whose time is over go, and what commands did in the meantime is told. */
  async tend (): Promise<void> {
    const ring = withoutExpired(this.#ring, this.#now())
    if (ring.previous.length < this.#ring.previous.length) {
      await this.#locked(async () => {
        await this.#useRing(withoutExpired(this.#ring, this.#now()))
      })
    }
    // "join" may have brought a new certificate meanwhile.
    this.#credential = await readCredential(this.#init.paths.certificate)
    for (const event of await takeEvents(this.#init.paths.membershipEvents)) {
      if (event.event === 'invited') this.book.invited(event.peer, ...invitedAs(event.detail))
      this.#init.onEvent(event)
    }
  }

  async #verify (peerId: string, credential: unknown): Promise<Awaited<ReturnType<typeof verifyCredential>>> {
    return await verifyCredential(credential, { federation: this.federation, peerId, now: this.#now(), standing: this.standing })
  }

  async #useRing (ring: KeyRing): Promise<void> {
    await writeKeyRing(this.#init.paths.networkKey, ring)
    this.#ring = ring
    this.onKeys(ring)
  }

  async #take (values: readonly unknown[]): Promise<Statement[]> {
    return await this.#locked(async () => {
      const news = await this.standing.learn(values)
      if (news.length > 0) await writeCheckedJson(this.#init.paths.statements, this.standing.statements)
      for (const each of news) this.#tell(each)
      return news
    })
  }

  #tell (news: Statement): void {
    const { onEvent } = this.#init
    if (news.kind === 'revocation') {
      if (this.standing.isRevoked(news.peerId, 'member')) {
        onEvent({
          kind: 'membership',
          event: 'revoked',
          peer: news.peerId,
          detail: `by ${news.signatures.map(({ peerId }) => peerId).join(', ')}`
        })
      }
      return
    }
    const last = news.credential.handovers.at(-1)!
    onEvent({ kind: 'membership', event: 'handed over', peer: last.from, detail: `to ${last.to}` })
  }

  /** One change at a time. */
  async #locked<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.#lock.then(work, work)
    this.#lock = turn.catch(() => { /* told to its caller */ })
    return await turn
  }
}

/** The inverse of how `invite` writes it down: role, then name. */
export function invitedAs (detail = ''): [string, 'member' | 'inviter'] {
  const [role, ...name] = detail.split(' ')
  return [name.join(' '), role === 'inviter' ? 'inviter' : 'member']
}

function parseBytes (bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new ProtocolError('a membership message is not JSON')
  }
}
