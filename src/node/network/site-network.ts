import { setTimeout as sleep } from 'node:timers/promises'
import { start, stop, type ConnectionEncrypter, type PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import type { LevelDatastore } from 'datastore-level'
import type { Auditor } from '../../audit/auditor.ts'
import { seededRandom } from '../../common/random.ts'
import { RefusedError } from '../../errors.ts'
import type { ScoreBook } from '../../federation/cross-scores/score-book.ts'
import type { SiteMembership } from '../../federation/membership/site-membership.ts'
import type { Averager } from '../../gossip-aggregation/averager.ts'
import type { SitePaths } from '../../home/paths.ts'
import {
  adapterExchange,
  type AdapterExchange,
  type AdapterExchangeComponents,
  type ExchangeReport,
  type SettledExchange
} from '../../protocol/adapter-exchange/index.ts'
import { announce, type Announce, type Announcement } from '../../protocol/announce/index.ts'
import { THIS_SOFTWARE, type Software } from '../../protocol/versions.ts'
import { ClockSkew } from '../../rounds/clock-skew.ts'
import type { ExchangeWith } from '../../rounds/exchange-loop.ts'
import type { Logger } from '../../rounds/logger.ts'
import type { Notices } from '../../rounds/notices.ts'
import { PeerTable } from '../../rounds/peer-table.ts'
import type { PeerView } from '../../rounds/status.ts'
import type { NetworkSettings } from '../../settings/site/network.ts'
import type { SiteConfig } from '../../settings/site/site-config.ts'
import type { MembersControl } from '../control/membership-routes.ts'
import { lossyComponents } from '../test-faults/lossy.ts'
import type { TestFaults } from '../test-faults/settings.ts'
import { announceInit } from './announce-init.ts'
import { Discovery } from './discovery.ts'
import { createHost, type Host, type HostInit } from './host.ts'
import { type FailedHandshake, keyedNoise } from './keyed-noise.ts'
import { countAnnouncementOffences, countExchangeOffences } from './limits/count-offences.ts'
import { FairShare } from './limits/fair-share.ts'
import { PeerLimits } from './limits/peer-limits.ts'
import { Members } from './members.ts'
import { failedHandshake, sayBanned, sayIfLost, sayMet, saySlow, sayTwin, sayTwinHere, sayUncertified } from './network-notices.ts'
import { DAMAGED_PEER_BOOK, openPeerBook } from './peer-book.ts'
import { PeerVersions, type Said } from './peer-versions.ts'
import { boundedGossipsub } from './pubsub.ts'
import { DirectAgain } from './reach/direct-again.ts'
import { LastingStreams } from './reach/lasting-streams.ts'
import { OutboundProxy } from './reach/outbound-proxy.ts'
import { reachWords } from './reach/reach-words.ts'
import { readTls } from './reach/read-tls.ts'
import { StaleConnections } from './reach/stale-connections.ts'
import { recordConnections, recordExchanges } from './record-audit.ts'

export interface SiteNetworkInit {
  readonly paths: SitePaths
  readonly key: PrivateKey
  readonly federationId: string
  readonly membership: SiteMembership
  readonly scores?: ScoreBook
  readonly config: Pick<SiteConfig, 'listen' | 'bootstrap'> & Partial<NetworkSettings>
  readonly logger: Logger
  readonly notices: Notices
  readonly audit: Pick<Auditor, 'record'>
  /** Sees the plain bytes of every connection; for the test that looks for private ones among them. */
  readonly tap?: (encrypter: ConnectionEncrypter) => ConnectionEncrypter
  /** What its announcements say the time is, milliseconds since the epoch; the machine's when missing. */
  readonly now?: () => number
  /** Of libp2p itself. */
  readonly metrics?: HostInit<Services>['metrics']
  /** How long after its start a site that knows nobody waits to be found, milliseconds. */
  readonly foundWithinMs?: number
  /** What a testnet makes this site suffer. */
  readonly faults?: TestFaults | undefined
  /** What this site says that it runs and speaks; what it is, unless a test lets it be another version. */
  readonly software?: Software
}

// Unused inside this process: the exchange service takes its parts from here once the adapter's schema is known.
interface Late { readonly components: AdapterExchangeComponents }
type Services = { announce: Announce, late: Late }
interface Parts {
  readonly host: Host<Services>
  readonly datastore: LevelDatastore
  readonly refused: { count: number }
  readonly limits: PeerLimits
  readonly members: Members
  readonly versions: PeerVersions
  readonly peers: PeerTable
  readonly lasting: LastingStreams
}

const LEAVE_MS = 5_000
const POLL_MS = 20

/** The network half of a site: host, discovery, the table of the others, announcements and (from `join` on) exchanges. */
export class SiteNetwork {
  readonly host: Host<Services>
  readonly peers: PeerTable
  readonly members: Members
  readonly membership: SiteMembership
  onScored: (peer: string, scored: Announcement['scored']) => void = () => {}
  readonly #init: SiteNetworkInit
  readonly #datastore: LevelDatastore
  readonly #discovery: Discovery
  readonly #refused: { count: number }
  readonly limits: PeerLimits
  readonly #versions: PeerVersions
  readonly #share: FairShare
  readonly #lasting: LastingStreams
  readonly #stale: StaleConnections
  readonly #direct: DirectAgain
  #exchanges: AdapterExchange | undefined
  #averager: Averager | undefined

  private constructor (init: SiteNetworkInit, parts: Parts) {
    this.#init = init
    this.host = parts.host
    this.members = parts.members
    this.membership = init.membership
    this.#datastore = parts.datastore
    this.#refused = parts.refused
    this.limits = parts.limits
    this.#versions = parts.versions
    this.peers = parts.peers
    this.#lasting = parts.lasting
    this.#stale = new StaleConnections(this.host, init.logger)
    this.#direct = new DirectAgain(this.host)
    this.#share = new FairShare(() => performance.now(), {
      rootOf: (partner) => init.membership.rootOf(partner),
      onSlow: (...slow) => { saySlow(init.notices, ...slow) }
    })
    this.#discovery = new Discovery({
      host: this.host,
      federationId: init.federationId,
      bootstrap: init.config.bootstrap,
      hints: () => init.membership.federation.document.hints ?? [],
      logger: init.logger,
      notices: init.notices
    })
  }

  /** Listens and looks for others. @throws InputError for an occupied address or a home in use. */
  static async open (init: SiteNetworkInit): Promise<SiteNetwork> {
    const { datastore, wasDamaged } = await openPeerBook(init.paths.peers, init.paths.home)
    if (wasDamaged) init.notices.event(DAMAGED_PEER_BOOK)
    const refused = { count: 0 }
    const limits = limitsOf(init)
    const onRefused = (refusal: FailedHandshake): void => { failedHandshake(init, refusal, { refused, limits }) }
    const { software = THIS_SOFTWARE } = init
    const peers = new PeerTable(Date.now, init.foundWithinMs, (id) => init.membership.rootOf(id))
    const versions = versionsOf(init, software, peers)
    const networkKey = Buffer.from(init.membership.ring.current, 'hex')
    const noise = keyedNoise({ federationId: init.federationId, networkKey, onRefused, tap: init.tap })
    const members = new Members({
      site: init.membership,
      scores: init.scores,
      peerId: peerIdFromPrivateKey(init.key).toString(),
      noise,
      limits,
      notices: init.notices,
      logger: init.logger,
      onEvent: (event) => { init.audit.record(event) },
      versions,
      protocols: software.protocols
    })
    const lasting = new LastingStreams()
    try {
      const host = await createHost<Services>({
        key: init.key,
        federationId: init.federationId,
        ...init.config,
        given: init.config.bootstrap,
        tls: await readTls(init.config),
        encrypter: noise,
        limits,
        members,
        datastore,
        ...(init.metrics == null ? {} : { metrics: init.metrics }),
        version: software.version,
        services: {
          membership: members.service(init.federationId),
          pubsub: lasting.around(boundedGossipsub(init.federationId)),
          announce: announce(announceInit({ ...init, instance: members.instance })),
          late: (components: AdapterExchangeComponents) => ({ components })
        } as never
      })
      host.addEventListener('peer:identify', ({ detail }) => { versions.identified(detail) })
      await sayIfLost(init, host)
      const network = new SiteNetwork(init, { host, datastore, refused, limits, members, versions, peers, lasting })
      network.#begin()
      return network
    } catch (error) {
      await datastore.close()
      throw error
    }
  }

  /** Serves and makes exchanges of this averager's vector from now on. */
  async join (
    averager: Averager,
    { onExchange, onSettled, onSent, onForeign }: {
      onExchange: (report: ExchangeReport) => void,
      onSettled: (settlement: SettledExchange) => void,
      onSent: (bytes: number) => void,
      onForeign: (peer: string) => void
    }
  ): Promise<void> {
    const init = { federationId: this.#init.federationId, averaging: this.#share.of(averager), protocols: this.software.protocols }
    const service = adapterExchange(init)(this.exchangeComponents())
    service.addEventListener('exchange', ({ detail }) => {
      this.peers.exchanged(detail.partner)
      if (this.#share.waitMs(detail.partner) === 0) {
        this.#init.notices.over(`slow ${detail.partner}`, `exchanges with site ${detail.partner} take no longer than with others again`)
      }
      this.#init.membership.book.exchanged(detail.partner)
      onSent(detail.bytesSent)
      onExchange(detail)
    })
    service.addEventListener('settled', ({ detail }) => { onSettled(detail) })
    service.addEventListener('failure', ({ detail }) => {
      const { partner, role, reason, error, inDoubt, bytesSent } = detail
      onSent(bytesSent)
      this.#init.logger.info({ partner, role, reason, why: error.message, inDoubt }, 'an exchange failed')
    })
    service.addEventListener('round', ({ detail: { partner, round } }) => {
      if (round <= this.#init.membership.documents.mostRounds) this.peers.heardRound(partner, round)
    })
    service.addEventListener('refusal', ({ detail }) => { if (detail.reason === 'SCHEMA') onForeign(detail.partner) })
    this.#share.watch(service)
    countExchangeOffences(service, this.limits)
    recordExchanges(service, averager, this.#init.audit)
    this.#averager = averager
    this.#exchanges = service
    await start(service)
    this.peers.ready()
  }

  readonly exchange: ExchangeWith = async (partner, options) => {
    if (this.#exchanges == null) throw new Error('exchange before join')
    const waitMs = this.#share.waitMs(partner)
    if (waitMs > 0) throw new RefusedError('BUSY', waitMs)
    return await this.#exchanges.exchange(peerIdFromString(partner), options)
  }

  readonly settle = async (partner: string): Promise<void> => {
    await this.#exchanges?.settle(peerIdFromString(partner))
  }

  /** Failed handshakes since the start: wrong or missing network keys, mostly. */
  get refusedHandshakes (): number {
    return this.#refused.count
  }

  /** For the control port. */
  get membersControl (): Omit<MembersControl, 'leave'> {
    const { members, peers } = this
    return {
      view: () => members.view((peerId) => peers.isConnected(peerId)).map((each) => ({
        ...each,
        ...peers.trainingOf(each.peerId),
        ...this.reachOf(each.peerId)
      })),
      publishRevocation: async (peerId) => await members.publishRevocation(peerId),
      rotateKey: async (overlapMs) => await members.rotateKey(overlapMs)
    }
  }

  /** What is known of the others; where they are now, and how they are reached. */
  peersView (suspects?: readonly string[], classes?: readonly string[]): PeerView[] {
    return this.peers.view(suspects, classes).map((each) => {
      const addresses = this.host.getConnections(peerIdFromString(each.peerId)).map(({ remoteAddr }) => remoteAddr.toString())
      return { ...each, ...this.reachOf(each.peerId), ...(addresses.length === 0 ? {} : { addresses }) }
    })
  }

  /** How a peer is reached, in words. */
  reachOf (peerId: string): { readonly reach?: string } {
    const proxy = new OutboundProxy(this.#init.config.proxy)
    const words = reachWords(this.host.getConnections(peerIdFromString(peerId)), proxy)
    return words == null ? {} : { reach: words }
  }

  /** Peer ids of members that hold a place for this site. */
  get relays (): string[] {
    return this.host.services.relays.relays
  }

  get relayedBytes (): number {
    return this.limits.relayedBytes
  }

  get software (): Software {
    return this.#init.software ?? THIS_SOFTWARE
  }

  get addresses (): string[] {
    return this.host.getMultiaddrs().map(String)
  }

  readonly publish = async (announcement: Announcement): Promise<void> => {
    await this.host.services.announce.publish(announcement)
  }

  /** From here on nothing is exchanged any more; an open exchange is let to its end. */
  async quiesce (): Promise<void> {
    if (this.#averager == null) return
    this.#averager.paused = true
    const until = Date.now() + LEAVE_MS
    while ((this.#averager.busy || this.#averager.sealing?.isOpen === true) && Date.now() < until) await sleep(POLL_MS)
  }

  /** Ends the exchanges of this averager's vector; `join` begins those of another. */
  async part (): Promise<void> {
    await this.quiesce()
    if (this.#exchanges != null) await stop(this.#exchanges)
    this.#exchanges = undefined
  }

  async close (): Promise<void> {
    await this.part()
    await this.#discovery.stop()
    this.#lasting.stop()
    this.#stale.stop()
    this.#direct.stop()
    this.host.services.relays.end()
    await this.host.stop()
    await this.members.stop()
    await this.#datastore.close()
  }

  /** What protocols of this site's adapter speak over; as bad a line as a testnet wants it. */
  exchangeComponents (): AdapterExchangeComponents {
    const { components } = this.host.services.late
    const { faults } = this.#init
    return faults == null ? components : lossyComponents(components, { probability: faults.loss, random: seededRandom(faults.seed) })
  }

  /** Whoever passes connections on is reachable, and needs nobody who does. */
  #keepRelays (): void {
    const { notices, logger, config } = this.#init
    if (config.relay === true) return
    this.host.services.relays.begin({ isCertified: (peer) => this.members.admissions.isEstablished(peer), notices, logger })
  }

  #begin (): void {
    const { host, peers } = this
    const clocks = new ClockSkew(this.#init.notices)
    recordConnections(host, this.#init.audit)
    countAnnouncementOffences(host.services.announce, this.limits)
    host.services.announce.addEventListener('dropped', ({ detail: { peerId, reason } }) => {
      if (reason === 'no certificate') sayUncertified(this.#init.notices, peerId.toString())
    })
    host.services.announce.addEventListener('twin', ({ detail: { peerId } }) => {
      const say = peerId.equals(host.peerId) ? sayTwinHere : sayTwin
      say(this.#init.notices, peerId.toString())
    })
    this.members.start({
      onJoin: (peer) => {
        const id = peer.toString()
        sayMet(this.#init.notices, id)
        peers.connected(id, host.getConnections(peer).map(({ remoteAddr }) => remoteAddr.toString()))
        const said = this.#versions.of(id)
        if (said != null) runs(this.#init, peers, id, said)
      },
      onLeave: (peer) => { peers.disconnected(peer.toString()) }
    })
    host.services.announce.addEventListener('announcement', ({ detail }) => {
      const id = detail.peerId.toString()
      peers.announced(id, detail.announcement)
      this.onScored(id, detail.announcement.scored)
      this.#discovery.heard(detail.peerId)
      clocks.heard(id, detail.saidAt, Date.now())
      this.membership.book.trained(id, detail.announcement.round)
      this.#versions.announced(id, detail.announcement)
    })
    this.#lasting.start()
    this.#stale.start()
    host.services.own.onMoved(this.#stale.askAll)
    this.#direct.start()
    this.#keepRelays()
    this.#discovery.start()
  }
}

/** A member is counted as one, whatever key it has. */
function limitsOf (init: SiteNetworkInit): PeerLimits {
  return new PeerLimits({
    onBan: (peer, reason, ms) => { sayBanned(init, peer, reason, ms) },
    rootOf: (peer) => init.membership.rootOf(peer)
  })
}

function versionsOf (init: SiteNetworkInit, own: Software, peers: PeerTable): PeerVersions {
  const { federationId, notices } = init
  return new PeerVersions({ federationId, own, notices, onSaid: (peer, said) => { runs(init, peers, peer, said) } })
}

/** Of those who were let in once: anybody can say anything. */
function runs ({ membership }: SiteNetworkInit, peers: PeerTable, peer: string, said: Said): void {
  peers.runs(peer, said)
  if (said.software != null) membership.book.runs(peer, said.software)
}
