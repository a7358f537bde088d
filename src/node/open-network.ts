import type { Auditor } from '../audit/auditor.ts'
import { InputError } from '../errors.ts'
import { ScoreBook } from '../federation/cross-scores/score-book.ts'
import { LEFT } from '../federation/membership/departure.ts'
import { SiteMembership } from '../federation/membership/site-membership.ts'
import { AmendmentWatch } from './amendment-watch.ts'
import type { DaemonInit } from './daemon-init.ts'
import { ExpiryWatch } from './expiry-watch.ts'
import type { SiteNetworkInit } from './network/site-network.ts'
import { SiteNetwork } from './network/site-network.ts'
import type { Site } from './site.ts'
import { partitionSites } from './test-faults/partition.ts'

type Closer = () => Promise<void>

interface Opening extends Pick<DaemonInit, 'tap' | 'foundWithinMs' | 'faults' | 'software'> {
  readonly audit: Auditor
  /** Of libp2p. */
  readonly metrics: NonNullable<SiteNetworkInit['metrics']>
  /** Told what to call when the daemon closes, the last one first. */
  readonly onClose: (closer: Closer) => void
}

/** A site's network, and what goes on beside it. */
export interface OpenedNetwork {
  readonly network: SiteNetwork
  readonly amendments: AmendmentWatch
}

/** Events of membership after which a site is no member any more. */
const ENDS = new Set(['revoked', 'handed over', 'left'])

/** Membership, network and the watches over both. @throws InputError where the site may not take part, or cannot listen. */
export async function openNetwork (site: Site, opening: Opening): Promise<OpenedNetwork> {
  const { paths, key, federation, config, logger, notices } = site
  const { audit, metrics, tap, foundWithinMs, faults, software, onClose } = opening
  let opened: SiteNetwork | undefined
  const membership = await SiteMembership.open({
    ...site,
    renewsNothing: !config.renewCertificates,
    onEvent: (event) => {
      audit.record(event)
      if (event.kind === 'membership' && ENDS.has(event.event)) opened?.peers.forget(event.peer)
    }
  })
  if (membership.standing.hasLeft(site.peerId)) throw new InputError(LEFT)
  if (membership.book.wasDamaged) {
    notices.event(`${paths.members} is damaged: the book of members starts empty, and fills as sites are met`)
  }
  const network = opened = await SiteNetwork.open({
    paths,
    key,
    federationId: federation.id,
    membership,
    scores: await openScores(site, membership, audit),
    config,
    logger,
    notices,
    audit,
    metrics,
    ...(tap == null ? {} : { tap }),
    ...(foundWithinMs == null ? {} : { foundWithinMs }),
    ...(software == null ? {} : { software }),
    faults
  })
  onClose(async () => { await network.close() })
  watchExpiry(site, network, onClose)
  const amendments = watchAmendments(site, membership, onClose)
  if (faults != null) {
    const end = partitionSites(network.host, faults.apart, () => site.record.round)
    onClose(() => Promise.resolve(end()))
  }
  logger.info({ name: site.name, peerId: site.peerId, addresses: network.addresses }, 'listening')
  return { network, amendments }
}

async function openScores ({ paths }: Site, membership: SiteMembership, audit: Auditor): Promise<ScoreBook> {
  const scores = await ScoreBook.open(paths, () => membership.federation)
  scores.onOwn = (rows) => {
    for (const { adapter, round, dice } of rows) audit.record({ kind: 'scores', adapter, round, classes: Object.keys(dice).length })
  }
  return scores
}

function watchAmendments (
  { paths, config, policy, notices }: Site,
  { documents }: SiteMembership,
  onClose: Opening['onClose']
): AmendmentWatch {
  const watch = new AmendmentWatch({ paths, rule: config.amendments, policy, amendments: documents, notices })
  watch.start()
  onClose(() => Promise.resolve(watch.stop()))
  return watch
}

function watchExpiry ({ peerId, notices }: Site, { membership, membersControl }: SiteNetwork, onClose: Opening['onClose']): void {
  const watch = new ExpiryWatch({
    validTo: () => membership.validTo,
    invited: () => membership.federation.document.founders.includes(peerId) ? membersControl.view() : [],
    notices,
    now: Date.now
  })
  watch.start()
  onClose(() => Promise.resolve(watch.stop()))
}
