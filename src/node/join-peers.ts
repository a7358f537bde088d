import type { Auditor } from '../audit/auditor.ts'
import { messageOf } from '../common/message-of.ts'
import { runInSlices } from '../common/slices.ts'
import type { Averager } from '../gossip-aggregation/averager.ts'
import { turnsPerInitiation } from '../gossip-aggregation/partner-choice.ts'
import { protocolNames } from '../protocol/versions.ts'
import { Announcer } from '../rounds/announcer.ts'
import { Arrival } from '../rounds/arrival.ts'
import { BestRound } from '../rounds/best-round.ts'
import { systemClock } from '../rounds/clock.ts'
import { ExchangeLoop, type ExchangeLoopInit } from '../rounds/exchange-loop.ts'
import type { PeerTable } from '../rounds/peer-table.ts'
import { Settlement } from '../rounds/settlement.ts'
import { siteClusters, type SiteClusters } from '../rounds/site-clusters.ts'
import { factSpecs } from '../settings/facts.ts'
import { classNames } from '../settings/labels.ts'
import { sealedOf } from '../settings/secure.ts'
import { joinGroups, type JoinedGroups } from './join-groups.ts'
import type { SiteNetwork } from './network/site-network.ts'
import type { PolicyGuard } from './policy-guard.ts'
import type { AdapterState, Site } from './site.ts'

/** The network's half of a running site. */
export interface JoinedPeers {
  readonly network: SiteNetwork
  readonly gossip: ExchangeLoop
  readonly announcer: Announcer
  readonly settlement: Settlement
  readonly arrival: Arrival
  readonly best: BestRound
  /** Where the federation seals. */
  readonly groups: JoinedGroups | undefined
  /** How often a site gets its turn to exchange in a round. */
  readonly turnsPerRound: number
  close (): Promise<void>
}

/** From here on the site exchanges, announces itself, and settles what is in doubt. */
export async function joinPeers (
  site: Site,
  state: AdapterState,
  network: SiteNetwork,
  guard: Pick<PolicyGuard, 'sent'>,
  audit: Pick<Auditor, 'record'>
): Promise<JoinedPeers> {
  const { federation: { document: { averaging } }, record, notices, logger } = site
  const { averager, checkpoint } = state
  const { peers } = network
  const turnsPerRound = averaging.initiationsPerRound * turnsPerInitiation(averaging.partner)
  peers.guide(averager)
  const announcer = announcerOf(site, state, network)
  const clusters = clustersOf(site, averager, peers)
  if (clusters != null) averager.scope = (partner) => clusters.scopeWith(partner)
  const gossip = exchangeLoop(site, network, { averager, turnsPerRound, announcer, peers, clusters })
  const arrival = new Arrival(notices, { patience: sealedOf(averaging)?.patience })
  const changed = (): void => {
    checkpoint.exchanged()
    arrival.exchanged(averager.steps)
    announcer.touch()
  }
  await network.join(averager, {
    onExchange: (report) => {
      record.count(report)
      if (report.role === 'responder' && !report.isRead) gossip.served(report.partner, report)
      changed()
      logger.debug({ partner: report.partner, role: report.role, distance: report.distance, ms: report.durationMs }, 'exchanged')
    },
    onSettled: ({ partner, verdict }) => {
      changed()
      logger.info({ partner, verdict }, 'an exchange in doubt is settled')
    },
    onSent: (bytes) => { guard.sent(bytes) },
    onForeign: (peer) => { gossip.foreign(peer) }
  })
  const groups = await joinGroups(site, state, network, { audit, onChanged: changed, onSent: (bytes) => { guard.sent(bytes) } })
  const settlement = settling(averager, network, groups)
  settlement.start()
  await announcer.start()
  const best = bestRound(site, state, network)
  return {
    network,
    gossip,
    announcer,
    settlement,
    arrival,
    best,
    groups,
    turnsPerRound,
    close: async () => {
      await groups?.close()
      await settlement.stop()
      await best.settled()
      await announcer.stop()
    }
  }
}

function clustersOf (site: Site, averager: Averager, peers: PeerTable): SiteClusters | undefined {
  const { peerId: self, federation: { document }, record } = site
  const { staleness } = document.averaging
  return siteClusters(document, {
    self,
    // Of a part of the sites' facts, unlike ones may be taken for a cluster.
    own: () => averager.round <= staleness && peers.awaitsFacts() ? undefined : record.facts,
    heard: () => peers.facts(averager.round, staleness),
    drive: runInSlices
  })
}

/** One that only reads takes no round over that the others are not in, nor more than so many rounds may have moved them. */
function exchangeLoop (site: Site, network: SiteNetwork, chosen: Parameters<typeof partnerChoice>[1]): ExchangeLoop {
  const { averager, peers } = chosen
  const { record: { reads }, notices } = site
  return new ExchangeLoop({
    exchange: reads ? reading(network, averager) : network.exchange,
    peers,
    averager,
    notices,
    clock: systemClock,
    random: Math.random,
    ...(reads ? {} : { partner: partnerChoice(site, chosen) })
  })
}

function reading ({ exchange, peers }: SiteNetwork, averager: Averager): ExchangeLoopInit['exchange'] {
  return async (partner, options) => await exchange(partner, { ...options, upTo: peers.medianRound() ?? averager.round })
}

function announcerOf (
  { federation: { id, document }, mechanism, record, logger }: Site,
  { averager, initial, scoped }: Pick<AdapterState, 'averager' | 'initial' | 'scoped'>,
  { software, peers, publish }: SiteNetwork
): Announcer {
  return new Announcer({
    federationId: id,
    averager,
    initial,
    classes: classNames(document.labels),
    facts: factSpecs(document),
    scoped,
    software: { software: software.version, protocols: protocolNames(software.protocols) },
    record,
    hidesScores: mechanism != null,
    peers,
    publish,
    logger
  })
}

/** By what this site and the others announce. */
function bestRound (
  { peerId, federation, record, notices, logger }: Site,
  { store, best: kept }: AdapterState,
  network: SiteNetwork
): BestRound {
  const best = new BestRound({
    best: kept,
    keep: async (found) => await store.keepBest(found),
    sites: () => network.peers.ring(peerId).length - (record.reads ? 1 : 0),
    maxImages: federation.document.averaging.maxMass,
    onBest: ({ round, dice, sites }) => {
      notices.over('best round', 'the best adapter is kept again')
      logger.info({ round, dice, sites }, 'the best round so far')
    },
    onFailure: (error) => { notices.warn('best round', `the best adapter could not be kept (${messageOf(error)}): free disk space`) }
  })
  network.onScored = (peer, scored) => { best.heard(network.membership.rootOf(peer), scored) }
  return best
}

function settling (averager: Averager, { peers, settle }: SiteNetwork, groups: JoinedGroups | undefined): Settlement {
  return new Settlement({
    doubts: () => [...averager.doubts.keys(), ...groups?.doubts() ?? []],
    connected: () => peers.connectedIds(),
    settle: async (partner) => {
      await settle(partner)
      await groups?.settle(partner)
    },
    clock: systemClock
  })
}

function partnerChoice (
  { peerId, federation: { document: { averaging } } }: Site,
  { averager, turnsPerRound, announcer, peers, clusters }: Pick<JoinedPeers, 'turnsPerRound' | 'announcer'> & {
    averager: Averager,
    peers: PeerTable,
    clusters: SiteClusters | undefined
  }
): NonNullable<ExchangeLoopInit['partner']> {
  return {
    rule: averaging.partner,
    self: peerId,
    ring: () => peers.ring(peerId),
    step: () => averager.round * turnsPerRound,
    isOutOfStep: true,
    distance: announcer.distanceTo,
    ...(clusters == null ? {} : { cluster: () => clusters.members, weight: () => clusters.affinity })
  }
}
