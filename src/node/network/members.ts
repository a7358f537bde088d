import { randomInt } from 'node:crypto'
import type { Connection, ConnectionGater, PeerId } from '@libp2p/interface'
import { messageOf } from '../../common/message-of.ts'
import { RefusedError } from '../../errors.ts'
import type { ScoreBook } from '../../federation/cross-scores/score-book.ts'
import type { MembershipEvent } from '../../federation/membership/events.ts'
import { keysOf } from '../../federation/membership/key-ring.ts'
import { viewMembers, type MemberView } from '../../federation/membership/members-view.ts'
import { branchSentenceOf, ownSentenceOf, sentenceOf } from '../../federation/membership/reasons.ts'
import type { Revoked, SiteMembership } from '../../federation/membership/site-membership.ts'
import { Admissions, type CredentialReason, membership, type Membership, type MembershipPort } from '../../protocol/membership/index.ts'
import type { Protocols } from '../../protocol/versions.ts'
import type { Logger } from '../../rounds/logger.ts'
import { LAPSE_MS, type Notices } from '../../rounds/notices.ts'
import { CertifiedOnly } from './certified-only.ts'
import type { KeyedNoise } from './keyed-noise.ts'
import { OFFENCE, type PeerLimits } from './limits/peer-limits.ts'
import { RefusedPeers } from './limits/refused-peers.ts'
import { sayTwin, sayTwinHere } from './network-notices.ts'
import type { PeerVersions } from './peer-versions.ts'
import { Twins } from './twins.ts'

const TEND_MS = 1_000
/** Certificates end by the day, so that every tenth look is often enough. */
const REVIEW_EVERY = 10
const UNASKED = new Set<CredentialReason>(['NONE', 'LATE'])

export interface MembersInit {
  readonly site: SiteMembership
  readonly scores?: ScoreBook | undefined
  readonly peerId: string
  readonly noise: KeyedNoise
  readonly limits: PeerLimits
  readonly notices: Notices
  readonly logger: Logger
  readonly onEvent: (event: MembershipEvent) => void
  readonly versions: Pick<PeerVersions, 'isApart'>
  /** Versions of the protocols, where not this software's. */
  readonly protocols?: Protocols | undefined
}

/** Told of a peer that is certified on both sides, and of one that is no longer connected. */
interface CertifiedPeersListener {
  readonly onJoin: (peer: PeerId) => void
  readonly onLeave: (peer: PeerId) => void
}

/** Membership in a running site: who is let in, who is told what, and what the control port may ask for. */
export class Members {
  readonly admissions = new Admissions()
  readonly certifiedOnly: CertifiedOnly
  /** Drawn at this start: another process with the same key draws another one. */
  readonly instance = randomInt(1, 2 ** 32)
  readonly #init: MembersInit
  readonly #refusedPeers = new RefusedPeers(() => performance.now())
  readonly #twins: Twins
  #service: Membership | undefined
  #listener: CertifiedPeersListener | undefined
  #timer: NodeJS.Timeout | undefined
  #tended = 0
  #stopped = false
  #ownFault: CredentialReason | undefined
  /** What was handed over last, and when. */
  readonly #renewed = new WeakMap<Connection, { readonly next: Uint8Array, readonly at: number }>()
  #tending: Promise<void> = Promise.resolve()
  /** Refused certificates since the start, by either side. */
  refused = 0

  constructor (init: MembersInit) {
    this.#init = init
    this.#twins = new Twins({
      tell: async (connection, instance) => { await this.#service!.tellTwin(connection, instance) },
      onTwin: (peer) => { sayTwin(init.notices, peer) }
    })
    this.certifiedOnly = new CertifiedOnly(this.admissions, (peer, protocol) => {
      init.onEvent({
        kind: 'refusal',
        peer: peer.toString(),
        what: 'stream',
        reason: `${protocol.split('/').slice(-2).join('/')} without a certificate`
      })
      init.limits.offence(peer.toString(), OFFENCE.tooMany, 'opens streams without a certificate')
    })
    this.#init.noise.use(keysOf(init.site.ring).map((key) => Buffer.from(key, 'hex')))
    init.site.onFarKey = (founder, epoch) => {
      init.notices.warn(
        `far key ${founder}`,
        `a network key of founder ${founder} was not taken, since its epoch ${epoch} is far beyond this site's: where this site was away ` +
          'for years, ask for a new invitation; else ask the other founders to revoke that founder',
        { forMs: LAPSE_MS.day }
      )
    }
    init.site.onKeys = (ring) => { this.#init.noise.use(keysOf(ring).map((key) => Buffer.from(key, 'hex'))) }
  }

  /** Composed with the guard's: whoever was refused is neither dialled nor let in again soon. */
  get connectionGater (): ConnectionGater {
    const { connectionGater: inner } = this.#init.limits
    return {
      ...inner,
      denyDialPeer: async (peer) => this.#refusedPeers.deniesDial(peer.toString()) || await inner.denyDialPeer?.(peer) === true,
      denyInboundEncryptedConnection: async (peer, connection) =>
        this.#refusedPeers.deniesInbound(peer.toString()) || await inner.denyInboundEncryptedConnection?.(peer, connection) === true
    }
  }

  /** The libp2p service. */
  service (federationId: string): ReturnType<typeof membership> {
    const create = membership({
      federationId,
      membership: this.#port(),
      admissions: this.admissions,
      protocols: this.#init.protocols
    })
    return (components) => {
      const service = create(components)
      service.addEventListener('established', ({ detail: { peer } }) => { this.#onEstablished(peer) })
      service.addEventListener('greeted', ({ detail: { connection, instance } }) => {
        this.#twins.met(connection, instance)
        const member = this.#init.site.memberOf(connection.remotePeer.toString())
        if (member != null) this.#init.site.book.met(member)
      })
      service.addEventListener('twin', ({ detail: { by } }) => { sayTwinHere(this.#init.notices, this.#init.peerId, by.toString()) })
      service.addEventListener('left', ({ detail: { peer } }) => {
        this.#init.site.left(peer.toString())
        this.#listener?.onLeave(peer)
      })
      service.addEventListener('refused', ({ detail: { peer, by, reason } }) => {
        this.#onRefused(peer.toString(), by, reason).catch((error: unknown) => {
          this.#init.logger.warn({ reason: String(error) }, 'a refusal could not be told')
        })
      })
      this.#init.site.onNews = (statements) => {
        service.spread({ statements }).catch(() => { /* its next greeting tells */ })
      }
      this.#init.site.documents.onNews = (documents) => {
        service.spread({ documents }).catch(() => { /* its next greeting tells */ })
      }
      if (this.#init.scores != null) {
        this.#init.scores.onNews = (scores) => { service.spread({ scores }).catch(() => { /* its next greeting tells */ }) }
      }
      this.#init.site.start()
      this.#service = service
      return service
    }
  }

  /** A member that was cut off for a while is not let in by another of its keys either. */
  #port (): MembershipPort {
    const { site, scores, limits } = this.#init
    return {
      documents: site.documents,
      scores,
      greeting: () => ({ ...site.greeting(), scores: scores?.digest, instance: this.instance }),
      judge: async (peer, shown) => {
        const fault = await site.judge(peer, shown)
        if (fault != null || !limits.isBanned(peer)) return fault
        limits.cutOff(peer, 'is a member that is cut off')
        throw new RefusedError('BANNED')
      },
      statements: () => site.statements(),
      learn: async (statements) => await site.learn(statements),
      caughtUp: async (peer) => { await site.caughtUp(peer) },
      newerKey: (than) => site.newerKey(than),
      learnKey: async (key) => await site.learnKey(key),
      learnRenewal: async (peer, certificate) => { await site.renewals.learn(peer, certificate) }
    }
  }

  /** From now on `company` is told; those who are there already come first. */
  start (listener: CertifiedPeersListener): void {
    this.#listener = listener
    const peers = new Map(this.admissions.admitted.map(({ connection: { remotePeer } }) => [remotePeer.toString(), remotePeer]))
    for (const peer of peers.values()) if (this.admissions.isEstablished(peer)) listener.onJoin(peer)
    this.#schedule()
  }

  async stop (): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#twins.stop()
    await this.#tending
    await this.#init.site.stop()
  }

  async publishRevocation (peerId: string): Promise<Revoked> {
    const { news, ...revoked } = await this.#init.site.issueRevocation(peerId)
    await this.#service!.spread({ statements: news })
    return revoked
  }

  get standing (): Pick<SiteMembership['standing'], 'isRevoked'> {
    return this.#init.site.standing
  }

  /** Signs that this site is a member no more, and tells everybody that is there; `before` is the last moment at which they listen. */
  async depart (before: () => Promise<void>): Promise<Revoked> {
    const { news, ...departed } = await this.#init.site.depart()
    if (departed.effective) await before()
    await this.#service!.spread({ statements: news })
    return departed
  }

  async rotateKey (overlapMs: number): Promise<{ epoch: number, overlapUntil: string }> {
    const { news, ...rotated } = await this.#init.site.rotateKey(overlapMs)
    await this.#service!.spread({ key: news })
    return rotated
  }

  view (isConnected: (peerId: string) => boolean): MemberView[] {
    return viewMembers(this.#init.site, this.#init.site.book.entries, isConnected)
  }

  #schedule (): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#tending = this.#tend().then(() => { this.#schedule() })
    }, TEND_MS)
  }

  async #tend (): Promise<void> {
    const { site, notices, logger } = this.#init
    try {
      await site.tend()
      await site.documents.tend()
      await this.#init.scores?.tend()
      const fault = await site.ownFault()
      if (fault == null) notices.over('own certificate', "this site's certificate holds again")
      else notices.warn('own certificate', ownSentenceOf(fault, this.#init.peerId), { isNews: fault !== this.#ownFault })
      this.#ownFault = fault
      if (this.#tended++ % REVIEW_EVERY !== 0) return
      this.#twins.review()
      await site.book.save()
      await this.#service!.review()
      this.#service!.greetAnew()
      await this.#renew()
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, 'membership could not be tended')
    }
  }

  /** The same once an hour on a connection, where the site still shows the old one; nothing waits for it. */
  async #renew (): Promise<void> {
    for (const { connection, credential } of this.admissions.admitted) {
      const next = await this.#init.site.renewals.forPeer(connection.remotePeer.toString(), credential)
      const given = this.#renewed.get(connection)
      const now = performance.now()
      if (next == null || (given?.next === next && now - given.at < LAPSE_MS.hour)) continue
      this.#renewed.set(connection, { next, at: now })
      this.#service!.tellRenewal(connection, next).catch(() => { /* it is told again */ })
    }
  }

  #onEstablished (peer: PeerId): void {
    const { site, onEvent } = this.#init
    const member = site.memberOf(peer.toString())
    this.#refusedPeers.forgive(peer.toString())
    if (member == null) return
    site.book.met(member)
    onEvent({ kind: 'membership', event: 'certified', peer: member.peerId, detail: `${member.role} ${member.name}` })
    this.#listener?.onJoin(peer)
  }

  async #onRefused (peer: string, by: 'us' | 'them', reason: CredentialReason): Promise<void> {
    const { site, notices, onEvent, limits, versions, logger } = this.#init
    // Whoever has shown a certificate before has a bad line, and not none.
    if (reason === 'LATE' && site.book.validUntil(peer) > -Infinity) {
      logger.info({ peer, by }, 'the line was too slow to exchange certificates in time: it is tried again')
      return
    }
    this.refused++
    this.#refusedPeers.add(peer, by === 'us')
    // It could not ask, or be asked, for a certificate; the versions have been said.
    if (by === 'us' && UNASKED.has(reason) && await versions.isApart(peer)) {
      onEvent({ kind: 'refusal', peer, what: 'version', reason: 'no common version of a protocol' })
      return
    }
    const holder = reason === 'REVOKED' ? site.holderInsteadOf(peer) : undefined
    const ours = holder == null ? sentenceOf(reason, peer) : branchSentenceOf(peer, holder)
    notices.warn(
      `certificate ${by} ${peer} ${reason}`,
      by === 'us' ? ours : `site ${peer} refused this site: ${ownSentenceOf(reason, this.#init.peerId)}`,
      { forMs: LAPSE_MS.hour }
    )
    onEvent({ kind: 'refusal', peer, what: 'certificate', reason: by === 'us' ? reason : `${reason}, said the peer of this site` })
    if (by === 'us' && reason === 'MALFORMED') limits.offence(peer, OFFENCE.malformed, 'sends malformed membership frames')
  }
}
