import type { Averager } from '../../gossip-aggregation/averager.ts'
import { protocolNames, THIS_SOFTWARE } from '../../protocol/versions.ts'
import type { SiteStatus } from '../../rounds/status.ts'
import type { JoinedPeers } from '../join-peers.ts'
import type { SiteNetwork } from '../network/site-network.ts'
import type { Site } from '../site.ts'

export interface SiteParts {
  readonly site: Pick<Site, 'name' | 'peerId' | 'federation' | 'record' | 'notices'>
  /** Undefined in a site that trains alone. */
  readonly network: SiteNetwork | undefined
  /** Undefined until the trainer is ready, as is `joined`. */
  readonly averager: Pick<Averager, 'inDoubt'> | undefined
  readonly joined: Pick<JoinedPeers, 'gossip'> | undefined
  readonly consensus: number | undefined
  readonly eventLoopP99Ms: number
}

/** What GET /status answers. */
export function describeSite ({ site, network, averager, joined, consensus, eventLoopP99Ms }: SiteParts): SiteStatus {
  const { version, protocols } = network?.software ?? THIS_SOFTWARE
  const { phase, round, trainer, exchanges, bytesSent, bytesReceived, partner, dice, progress, compute } = site.record
  return {
    software: version,
    protocols: protocolNames(protocols),
    name: site.name,
    peerId: site.peerId,
    federation: site.federation.id,
    round,
    rounds: site.federation.document.training.rounds,
    phase,
    trainer,
    exchanges,
    inDoubt: averager?.inDoubt ?? 0,
    suspects: [...joined?.gossip.suspects ?? []],
    bytesSent,
    bytesReceived,
    ...describeNetwork(network),
    warnings: site.notices.list,
    eventLoopP99Ms,
    ...present({ compute, partner, dice, consensus, progress })
  }
}

function describeNetwork (
  network: SiteNetwork | undefined
): Pick<SiteStatus, 'addresses' | 'peers' | 'refusedHandshakes' | 'refusedCertificates' | 'streams'> {
  if (network == null) return { addresses: [], peers: 0, refusedHandshakes: 0, refusedCertificates: 0, streams: {} }
  const { addresses, peers, members, refusedHandshakes } = network
  return {
    addresses,
    peers: peers.connectedCount,
    refusedHandshakes,
    refusedCertificates: members.refused,
    streams: members.certifiedOnly.streams
  }
}

function present<T extends object> (parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
