import type { Averager } from '../gossip-aggregation/averager.ts'
import { turnsPerInitiation } from '../gossip-aggregation/partner-choice.ts'
import { protocolNames } from '../protocol/versions.ts'
import { Announcer } from '../rounds/announcer.ts'
import { Arrival } from '../rounds/arrival.ts'
import { systemClock } from '../rounds/clock.ts'
import { ExchangeLoop, type ExchangeLoopInit } from '../rounds/exchange-loop.ts'
import type { PeerTable } from '../rounds/peer-table.ts'
import { Settlement } from '../rounds/settlement.ts'
import { classNames } from '../settings/labels.ts'
import type { SiteNetwork } from './network/site-network.ts'
import type { AdapterState, Site } from './site.ts'

/** The network's half of a running site. */
export interface JoinedPeers {
  readonly network: SiteNetwork
  readonly gossip: ExchangeLoop
  readonly announcer: Announcer
  readonly settlement: Settlement
  readonly arrival: Arrival
  /** How often a site gets its turn to exchange in a round. */
  readonly turnsPerRound: number
  close (): Promise<void>
}

/** From here on the site exchanges, announces itself, and settles what is in doubt. */
export async function joinPeers (site: Site, { averager, checkpoint, initial }: AdapterState, network: SiteNetwork): Promise<JoinedPeers> {
  const { federation: { id, document: { averaging, labels } }, record, notices, logger } = site
  const { peers } = network
  const turnsPerRound = averaging.initiationsPerRound * turnsPerInitiation(averaging.partner)
  peers.guide(averager)
  const announcer = new Announcer({
    federationId: id,
    averager,
    initial,
    classes: classNames(labels),
    software: { software: network.software.version, protocols: protocolNames(network.software.protocols) },
    record,
    hidesScores: site.mechanism != null,
    peers,
    logger,
    publish: network.publish
  })
  const gossip = new ExchangeLoop({
    exchange: network.exchange,
    peers,
    averager,
    notices,
    clock: systemClock,
    random: Math.random,
    partner: partnerChoice(site, { averager, turnsPerRound, announcer, peers })
  })
  const arrival = new Arrival(notices)
  const changed = (): void => {
    checkpoint.exchanged()
    arrival.exchanged(averager.steps)
    announcer.touch()
  }
  await network.join(averager, {
    onExchange: (report) => {
      record.count(report)
      if (report.role === 'responder') gossip.served(report.partner, report)
      changed()
      logger.debug({ partner: report.partner, role: report.role, distance: report.distance, ms: report.durationMs }, 'exchanged')
    },
    onSettled: ({ partner, verdict }) => {
      changed()
      logger.info({ partner, verdict }, 'an exchange in doubt is settled')
    },
    onForeign: (peer) => { gossip.foreign(peer) }
  })
  const settlement = startSettling(averager, network)
  await announcer.start()
  return {
    network,
    gossip,
    announcer,
    settlement,
    arrival,
    turnsPerRound,
    close: async () => {
      await settlement.stop()
      await announcer.stop()
    }
  }
}

function startSettling (averager: Averager, { peers, settle }: SiteNetwork): Settlement {
  const about = { doubts: () => averager.doubts.keys(), connected: () => peers.connectedIds() }
  const settlement = new Settlement({ ...about, settle, clock: systemClock })
  settlement.start()
  return settlement
}

function partnerChoice (
  { peerId, federation: { document: { averaging } } }: Site,
  { averager, turnsPerRound, announcer, peers }: Pick<AdapterState, 'averager'> & Pick<JoinedPeers, 'turnsPerRound' | 'announcer'> & {
    peers: PeerTable
  }
): NonNullable<ExchangeLoopInit['partner']> {
  return {
    rule: averaging.partner,
    self: peerId,
    ring: () => peers.ring(peerId),
    step: () => averager.round * turnsPerRound,
    isOutOfStep: true,
    distance: announcer.distanceTo
  }
}
