import { start, stop } from '@libp2p/interface'
import type { Auditor } from '../audit/auditor.ts'
import { PublicationService } from '../protocol/publication/publication.ts'
import type { Received } from '../rounds/trainer-messages.ts'
import type { PublicationView } from '../rounds/status.ts'
import { countPublicationOffences } from './network/limits/count-offences.ts'
import type { SiteNetwork } from './network/site-network.ts'
import type { PolicyGuard } from './policy-guard.ts'
import { Publications } from './publications.ts'
import type { AdapterState, Site } from './site.ts'
import type { TrainerProcess } from './trainer-process.ts'

/** What this site shows and is shown, while one document holds. */
export interface JoinedPublications {
  /** Asks who is there for what is new. */
  readonly gather: (signal: AbortSignal) => Promise<void>
  /** What is made anew whenever this site has trained is: as of this round. */
  readonly renew: (round: number, signal: AbortSignal) => Promise<void>
  readonly received: () => readonly Received[]
  readonly view: () => PublicationView[]
  /** The federation has ended here. */
  readonly end: () => Promise<void>
  readonly close: () => Promise<void>
}

interface Joining {
  readonly audit: Pick<Auditor, 'record'>
  readonly trainer: Pick<TrainerProcess, 'call'>
  readonly guard: Pick<PolicyGuard, 'sent'>
  readonly signal: AbortSignal
}

/** From here on this site shows what both consents let leave; undefined where the federation shares nothing. */
export async function joinPublications (
  site: Site,
  { schema, averager }: Pick<AdapterState, 'schema' | 'averager'>,
  network: SiteNetwork,
  { audit, trainer, guard, signal }: Joining
): Promise<JoinedPublications | undefined> {
  const isWithheld = (): boolean => averager.withheld || averager.paused
  const publications = await Publications.open({ site, schema, audit, isWithheld })
  if (publications == null) return undefined
  await make(publications, site, trainer, signal)
  const service = serviceOf(publications, site, network, guard)
  await start(service)
  const isMember = (peer: string): boolean => !network.membership.isOutcast(peer)
  return {
    gather: async (until) => { await publications.gather(service, network.peers.connectedIds().filter(isMember), until) },
    renew: async (round, until) => { await renew(publications, { trainer, round, signal: until }) },
    received: () => publications.received(isMember),
    view: () => publications.view,
    end: async () => { await publications.end() },
    close: async () => { await stop(service) }
  }
}

async function make (publications: Publications, { notices }: Site, trainer: Joining['trainer'], signal: AbortSignal): Promise<void> {
  for (const kind of publications.lacking) {
    const { values } = await trainer.call('publish', { kind }, { signal })
    if (values != null) await publications.show(kind, 0, values)
    else notices.event(`this site has too few patients for ${kind}: it shows none, and uses what others show`)
  }
}

/** Of training, not of images: there is one as soon as this site has trained. */
async function renew (
  publications: Publications,
  { trainer, round, signal }: Pick<Joining, 'trainer' | 'signal'> & { readonly round: number }
): Promise<void> {
  for (const kind of publications.renewed) {
    const { values } = await trainer.call('publish', { kind }, { signal })
    if (values != null) await publications.show(kind, round, values)
  }
}

function serviceOf (publications: Publications, site: Site, network: SiteNetwork, guard: Joining['guard']): PublicationService {
  const { components } = network.host.services.late
  const { protocols } = network.software
  const service = new PublicationService(components, { federationId: site.federation.id, publications, protocols })
  service.addEventListener('sent', ({ detail }) => { publications.sent(detail) })
  service.addEventListener('bytes', ({ detail: { sent } }) => { guard.sent(sent) })
  countPublicationOffences(service, network.limits)
  return service
}
