import type { PrivateKey } from '@libp2p/interface'
import { LRUCache } from 'lru-cache'
import { parseJson } from '../../common/parse-json.ts'
import { InputError } from '../../errors.ts'
import { writeCheckedJson } from '../../home/checksum.ts'
import type { SitePaths } from '../../home/paths.ts'
import type { CredentialReason, Greeting, KeyVersion, MembershipPort, NetworkKey } from '../../protocol/membership/index.ts'
import { Amendments } from '../amendments/amendments.ts'
import { quorumOf, type Federation } from '../document.ts'
import { canonicalBytes, parseBytes } from '../signed.ts'
import { CatchUp } from './catch-up.ts'
import {
  credential,
  verifyCredential,
  type Credential,
  type CredentialCheck,
  type Handover,
  type Member,
  type MemberRole
} from './certificate.ts'
import { signDeparture } from './departure.ts'
import { invitedAs, takeEvents, type MembershipEvent } from './events.ts'
import { readCredential, readStatements } from './files.ts'
import {
  epochOf,
  isNewer,
  keyHash,
  makeKey,
  MOST_EPOCHS_MISSED,
  requireKey,
  withKey,
  withoutExpired,
  type KeyRing
} from './key-ring.ts'
import { MemberBook } from './member-book.ts'
import { readKeyRing, writeKeyRing } from './network-key.ts'
import { endOf } from './renewal.ts'
import { Renewals } from './renewals.ts'
import { revokerOf } from './revoker.ts'
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
  /** Where this site may renew certificates it does not, since its people want to decide each time. */
  readonly renewsNothing?: boolean
}

export interface Revoked {
  readonly peerId: string
  /** Founders' signatures so far and how many it takes; an inviter's word is enough for a plain member. */
  readonly signatures: number
  readonly quorum: number
  readonly effective: boolean
}

/** Sites of whom it is remembered what they announced, and keys that showed a certificate which another one holds. */
const MOST_SHOWN = 1_024

const MOST_OVERLAP_MS = 366 * 86_400_000

/** Everything a site knows about who belongs to its federation, on disk before anybody acts on it. */
export class SiteMembership implements MembershipPort {
  readonly documents: Amendments
  readonly standing: Standing
  readonly book: MemberBook
  readonly renewals: Renewals
  readonly #init: SiteMembershipInit
  readonly #now: () => number
  #credential: Credential
  readonly #catchUp: CatchUp
  readonly #members = new Map<string, Member>()
  /** What sites announced that hold it for so long, milliseconds since the epoch. */
  readonly #shown = new LRUCache<string, { readonly bytes: string, readonly until: number }>({ max: MOST_SHOWN })
  #ring: KeyRing
  #lock: Promise<unknown> = Promise.resolve()
  /** The keys that this site takes have changed. */
  onKeys: (ring: KeyRing) => void = () => {}
  /** A founder's key was not taken: its epoch is far beyond this site's. */
  onFarKey: (founder: string, epoch: number) => void = () => {}
  /** Hand-overs that were learnt from what a peer showed: they are for everybody. */
  onNews: (statements: readonly Uint8Array[]) => void = () => {}
  /** Of keys that showed a hand-over: the key that the certificate names. */
  readonly #roots = new LRUCache<string, string>({ max: MOST_SHOWN })
  /** Of peers whose hand-overs came too late: who holds the certificate. */
  readonly #instead = new LRUCache<string, string>({ max: MOST_SHOWN })

  private constructor (
    init: SiteMembershipInit,
    parts: { documents: Amendments, standing: Standing, book: MemberBook, credential: Credential, ring: KeyRing }
  ) {
    this.#init = init
    this.#now = init.now ?? Date.now
    this.documents = parts.documents
    this.documents.onNewest = (newest) => {
      this.standing.use(newest)
      this.#shown.clear()
    }
    this.standing = parts.standing
    this.book = parts.book
    this.#credential = parts.credential
    this.#ring = parts.ring
    this.renewals = new Renewals(init, {
      federation: () => this.federation,
      credential: () => this.#credential,
      verify: async (peer, shown) => await this.#verify(peer, shown),
      isDoubted: (peers) => peers.some((each) => this.standing.revokers(each).length > 0),
      onRenewed: (shown) => { this.#credential = shown }
    })
    const others = [
      ...parts.book.entries.filter(({ lastSeen }) => lastSeen != null),
      ...this.federation.document.founders.map((peerId) => ({ peerId, role: 'founder' as const }))
    ]
    this.#catchUp = new CatchUp(
      others.filter(({ peerId, role }) => peerId !== init.peerId && !parts.standing.isRevoked(peerId, role)).map(({ peerId }) => peerId),
      init.graceMs
    )
  }

  /** @throws InputError for a damaged file or a key file that others may read. */
  static async open (init: SiteMembershipInit): Promise<SiteMembership> {
    const { paths, now = Date.now } = init
    const documents = await Amendments.open(paths, init.federation)
    const standing = new Standing(documents.newest)
    await readStatements(paths.statements, standing)
    const ring = withoutExpired(await readKeyRing(paths.networkKey), now())
    const book = await MemberBook.open(paths.members, now)
    return new SiteMembership(init, { documents, standing, ring, book, credential: await readCredential(paths.certificate) })
  }

  /** As its founders have amended it: whom they admit is theirs to say, whether or not this site goes on with what it trains by then. */
  get federation (): Federation {
    return this.documents.newest
  }

  get ring (): KeyRing {
    return this.#ring
  }

  /** When this site's certificate ends, ISO 8601; a founder has none. */
  get validTo (): string | undefined {
    const { certificate } = this.#credential
    return certificate == null ? undefined : new Date(endOf(certificate)).toISOString()
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
      key: { epoch: epochOf(this.#ring), hash: Buffer.from(hash, 'hex') },
      documents: this.documents.digest
    }
  }

  async judge (peer: string, bytes: Uint8Array): Promise<CredentialReason | undefined> {
    const verdict = await this.#admit(peer, parseBytes(bytes))
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

  /** What a member is counted by, whatever key it has at present: the key that its certificate names, as it showed it itself. */
  rootOf (peer: string): string {
    return this.#roots.get(peer) ?? peer
  }

  /** Who held the certificate already that this peer showed as its own. */
  holderInsteadOf (peer: string): string | undefined {
    return this.#instead.get(peer)
  }

  /** A key that was revoked or handed over, whatever its role. */
  isOutcast (peer: string): boolean {
    return this.standing.isRevoked(peer, this.#roleOf(peer)) || this.standing.successorOf(peer) != null
  }

  /** Whether a site that is perhaps not connected belongs to the federation: by what it shows, else by what is known of it. */
  async isCertified (peer: string, shown: Uint8Array | undefined): Promise<boolean> {
    if (this.isOutcast(peer)) return false
    if (this.federation.document.founders.includes(peer)) return true
    const bytes = shown == null ? undefined : Buffer.from(shown).toString('base64')
    const known = this.#shown.get(peer)
    if (bytes == null || bytes === known?.bytes) return (known?.until ?? this.book.validUntil(peer)) > this.#now()
    const verdict = await this.#admit(peer, parseJson(new TextDecoder().decode(shown)))
    if ('fault' in verdict) return false
    this.#shown.set(peer, { bytes, until: Date.parse(verdict.member.to ?? '') })
    return true
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
      if (parsed.epoch > epochOf(this.#ring) + MOST_EPOCHS_MISSED) {
        this.onFarKey(parsed.signature.peerId, parsed.epoch)
        return false
      }
      if (!isNewer(parsed, { epoch: epochOf(this.#ring), hash: keyHash(this.federation.id, this.#ring.current) })) return false
      await this.#useRing(withKey(this.#ring, Buffer.from(key).toString('hex'), parsed))
      this.#init.onEvent({ kind: 'membership', event: 'key received', peer: parsed.signature.peerId, detail: `epoch ${parsed.epoch}` })
      return true
    })
  }

  /** Signs that a site is a member no more, for good. @throws InputError where this site may not. */
  async issueRevocation (peerId: string): Promise<Revoked & { news: Uint8Array[] }> {
    const { federation } = this
    const { key } = this.#init
    const role = this.#roleOf(peerId)
    const inviter = revokerOf({ federation, self: this.#init.peerId, credential: this.#credential, now: this.#now() }, { peerId, role })
    const ended = [peerId, ...this.#formerKeysOf(peerId)]
    const learnt = await this.#take(await Promise.all(ended.map(async (each) => await signRevocation(federation.id, each, key, inviter))))
    const signatures = this.standing.revokers(peerId).length
    this.#init.onEvent({ kind: 'membership', event: 'revocation signed', peer: peerId })
    const [quorum, effective] = [quorumOf(federation.document), this.standing.isRevoked(peerId, role)]
    return { peerId, signatures, quorum, effective, news: learnt.map(canonicalBytes) }
  }

  /** Signs that this site is a member no more, for good: it counts at once unless a quorum of founders is wanted. @throws InputError */
  async depart (): Promise<Revoked & { news: Uint8Array[] }> {
    const { federation, key, peerId } = this.#init
    const statement = await signDeparture({ federation, key, peerId, credential: this.#credential, now: this.#now() })
    const news = (await this.#take([statement])).map(canonicalBytes)
    const signatures = this.standing.revokers(peerId).length
    return { peerId, signatures, quorum: quorumOf(federation.document), effective: this.standing.hasLeft(peerId), news }
  }

  /** Whoever else these handed over to, unseen, is ended with them. */
  #formerKeysOf (peerId: string): string[] {
    return this.standing.formerKeysOf(peerId).filter((each) => !this.federation.document.founders.includes(each))
  }

  #roleOf (peerId: string): MemberRole {
    return this.federation.document.founders.includes(peerId) ? 'founder' : this.book.roleOf(peerId) ?? 'member'
  }

  /** Makes a new network key; the old ones are accepted for `overlapMs` more. @throws InputError unless this site is a founder. */
  async rotateKey (overlapMs: number): Promise<{ epoch: number, overlapUntil: string, news: NetworkKey }> {
    const { federation } = this
    const { key: founder, peerId } = this.#init
    if (!federation.document.founders.includes(peerId)) throw new InputError('only a founder can make a new network key: ask one of them')
    const isEndless = !(overlapMs >= 0 && overlapMs <= MOST_OVERLAP_MS)
    if (isEndless) throw new InputError('the old network key can be accepted for at most 366 days more: give a shorter overlap')
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
      await this.#locked(async () => { await this.#useRing(withoutExpired(this.#ring, this.#now())) })
    }
    // "join" may have brought a new certificate meanwhile.
    this.#credential = await readCredential(this.#init.paths.certificate)
    await this.renewals.tend()
    for (const event of await takeEvents(this.#init.paths.membershipEvents)) {
      if (event.event === 'invited') this.book.invited(event.peer, ...invitedAs(event.detail))
      this.#init.onEvent(event)
    }
  }

  async #verify (peerId: string, shown: unknown): Promise<CredentialCheck> {
    return await verifyCredential(shown, { federation: this.federation, peerId, now: this.#now(), standing: this.standing })
  }

  /** One live holder per certificate: the hand-overs that a peer shows are known from now on, and whoever shows others comes too late. */
  async #admit (peerId: string, shown: unknown): Promise<CredentialCheck> {
    const verdict = await this.#verify(peerId, shown)
    const { data } = credential.safeParse(shown)
    if (data == null || data.handovers.length === 0) return verdict
    if ('fault' in verdict) return verdict.fault === 'REVOKED' ? this.#tooLate(peerId, data.handovers) : verdict
    if (verdict.member.role === 'founder') return verdict
    if (this.#knows(data.handovers)) return this.#rooted(verdict, data)
    const news = await this.#take([{ version: 1, kind: 'succession', credential: data }])
    if (news.length > 0) this.onNews(news.map(canonicalBytes))
    // Another may have come first meanwhile, or there is no room for what nobody could be held to.
    return this.#knows(data.handovers) ? this.#rooted(await this.#verify(peerId, shown), data) : this.#tooLate(peerId, data.handovers)
  }

  #rooted (verdict: CredentialCheck, { certificate }: Credential): CredentialCheck {
    if ('member' in verdict) this.#roots.set(verdict.member.peerId, certificate!.peerId)
    return verdict
  }

  #tooLate (peerId: string, handovers: readonly Handover[]): CredentialCheck {
    const holder = this.standing.holderInstead(handovers)
    if (holder != null) this.#instead.set(peerId, holder)
    return { fault: 'REVOKED' }
  }

  #knows (handovers: readonly Handover[]): boolean {
    return handovers.every(({ from, to }) => this.standing.successorOf(from) === to)
  }

  async #useRing (ring: KeyRing): Promise<void> {
    await writeKeyRing(this.#init.paths.networkKey, ring)
    this.#ring = ring
    this.onKeys(ring)
  }

  async #take (values: readonly unknown[]): Promise<Statement[]> {
    return await this.#locked(async () => {
      const news = await this.standing.learn(values, this.#now())
      // Who was certified may be so no more.
      if (news.length > 0) this.#shown.clear()
      if (news.length > 0) await writeCheckedJson(this.#init.paths.statements, this.standing.statements)
      for (const each of news) this.#tell(each)
      return news
    })
  }

  #tell (news: Statement): void {
    const { onEvent } = this.#init
    const gone = news.kind === 'revocation' ? news.peerId : news.credential.handovers.at(-1)!.from
    if (this.standing.hasLeft(gone)) onEvent({ kind: 'membership', event: 'left', peer: gone })
    else if (news.kind === 'revocation') {
      if (this.standing.isRevoked(news.peerId, 'member')) {
        onEvent({
          kind: 'membership',
          event: 'revoked',
          peer: news.peerId,
          detail: `by ${news.signatures.map(({ peerId }) => peerId).join(', ')}`
        })
      }
    } else onEvent({ kind: 'membership', event: 'handed over', peer: gone, detail: `to ${news.credential.handovers.at(-1)!.to}` })
  }

  /** One change at a time. */
  async #locked<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.#lock.then(work, work)
    this.#lock = turn.catch(() => { /* told to its caller */ })
    return await turn
  }
}
