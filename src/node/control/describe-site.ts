import { numberOf } from '../../federation/document.ts'
import type { Averager } from '../../gossip-aggregation/averager.ts'
import type { Steps } from '../../gossip-aggregation/unmixed.ts'
import { protocolNames, THIS_SOFTWARE } from '../../protocol/versions.ts'
import { imagesSeen } from '../../rounds/participation.ts'
import type { AmendmentView, ConditionView, PublicationView, SitePhase, SiteStatus } from '../../rounds/status.ts'
import { labelFreeTest } from '../../settings/pretraining.ts'
import type { JoinedPeers } from '../join-peers.ts'
import type { SiteNetwork } from '../network/site-network.ts'
import type { Site } from '../site.ts'

export interface SiteParts {
  readonly site: Pick<Site, 'name' | 'peerId' | 'federation' | 'record' | 'notices'>
  /** Undefined in a site that trains alone. */
  readonly network: SiteNetwork | undefined
  /** Undefined until the trainer is ready, as is `joined`. */
  readonly averager: Pick<Averager, 'inDoubt' | 'steps'> | undefined
  /** Training images. */
  readonly images: number | undefined
  readonly joined: Pick<JoinedPeers, 'gossip'> | undefined
  readonly amendments: readonly AmendmentView[]
  /** Undefined where the federation shares nothing beside the adapter. */
  readonly publications: PublicationView[] | undefined
  readonly consensus: number | undefined
  readonly eventLoopP99Ms: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What GET /status answers. */
export function describeSite (parts: SiteParts): SiteStatus {
  const { site, network, averager, images, joined, amendments, publications, consensus, eventLoopP99Ms, now } = parts
  const { version, protocols } = network?.software ?? THIS_SOFTWARE
  const { phase, round, trainer, exchanges, bytesSent, bytesReceived, partner, dice, intervals, progress, compute, pace } = site.record
  const { document } = site.federation
  return {
    software: version,
    protocols: protocolNames(protocols),
    name: site.name,
    peerId: site.peerId,
    federation: site.federation.id,
    amendment: numberOf(document),
    ...(amendments.length === 0 ? {} : { amendments: [...amendments] }),
    round,
    rounds: document.training.rounds,
    phase,
    trainer,
    pace,
    exchanges,
    inDoubt: averager?.inDoubt ?? 0,
    suspects: [...joined?.gossip.suspects ?? []],
    bytesSent,
    bytesReceived,
    ...describeNetwork(network),
    ...waiting(phase, network),
    warnings: site.notices.standing,
    conditions: conditionsOf(site.notices, now),
    eventLoopP99Ms,
    ...trainingOf(site.record.reads, { steps: averager?.steps, images }, document.training),
    ...isUnscored(site.record) ? { unscored: true as const } : {},
    ...present({ labelFree: labelFreeTest(document.method)?.(round) }),
    ...present({ publications, compute, partner, dice, intervals, classes: site.record.classes, consensus, progress })
  }
}

function conditionsOf ({ conditions }: SiteParts['site']['notices'], now: number): ConditionView[] {
  return conditions.map(({ kind, message, forMs }) =>
    ({ ...(kind == null ? {} : { kind }), sentence: message, since: new Date(now - forMs).toISOString() }))
}

/** Known once the trainer is ready. */
function isUnscored ({ reads, compute, validationImages }: SiteParts['site']['record']): boolean {
  return !reads && compute != null && validationImages === 0
}

/** A site without labels has none. */
function trainingOf (
  reads: boolean,
  { steps, images }: { readonly steps: Steps | undefined, readonly images: number | undefined },
  training: Parameters<typeof imagesSeen>[2]
): Pick<SiteStatus, 'reads' | 'steps' | 'images'> {
  if (reads) return { reads }
  const seen = steps == null || images == null ? undefined : { seen: imagesSeen(steps, images, training), all: images }
  return present({ steps, images: seen })
}

function waiting (phase: SitePhase, network: SiteNetwork | undefined): Pick<SiteStatus, 'waitsFor'> {
  const waitsFor = phase === 'cool-down' ? network?.peers.waitedFor() ?? [] : []
  return waitsFor.length > 0 ? { waitsFor } : {}
}

function describeNetwork (
  network: SiteNetwork | undefined
): Pick<SiteStatus, 'addresses' | 'peers' | 'refusedHandshakes' | 'refusedCertificates' | 'streams' | 'relays' | 'relayedBytes'> {
  if (network == null) {
    return { addresses: [], peers: 0, refusedHandshakes: 0, refusedCertificates: 0, streams: {}, relays: [], relayedBytes: 0 }
  }
  const { addresses, peers, members, refusedHandshakes } = network
  return {
    addresses,
    peers: peers.connectedCount,
    refusedHandshakes,
    refusedCertificates: members.refused,
    streams: members.certifiedOnly.streams,
    relays: network.relays,
    relayedBytes: network.relayedBytes
  }
}

function present<T extends object> (parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
