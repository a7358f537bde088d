import { start, stop } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Auditor } from '../audit/auditor.ts'
import { groupAverage, type GroupAverage } from '../protocol/group-average/index.ts'
import { systemClock } from '../rounds/clock.ts'
import { GroupLoop } from '../rounds/group-loop.ts'
import { groupPort, signerOf } from './network/group-port.ts'
import { recordGroups } from './network/record-audit.ts'
import type { SiteNetwork } from './network/site-network.ts'
import type { AdapterState, Site } from './site.ts'

/** Groups of a running site whose federation seals. */
export interface JoinedGroups {
  readonly loop: GroupLoop
  /** With whose groups this site is in doubt. */
  doubts (): Iterable<string>
  settle (partner: string): Promise<void>
  close (): Promise<void>
}

interface Told {
  readonly audit: Pick<Auditor, 'record'>
  /** Something of this site's training is at others now. */
  readonly onChanged: () => void
  readonly onSent: (bytes: number) => void
}

/** From here on the site leads and joins groups; undefined where nothing is sealed. */
export async function joinGroups (
  site: Site,
  { averager }: Pick<AdapterState, 'averager'>,
  network: SiteNetwork,
  told: Told
): Promise<JoinedGroups | undefined> {
  const { sealing } = averager
  if (sealing == null) return undefined
  const service = groupAverage({
    federationId: site.federation.id,
    port: groupPort(averager),
    signer: signerOf(site.key),
    isMember: (peer) => network.members.admissions.isEstablished(peerIdFromString(peer)),
    size: averager.schema.size,
    protocols: network.software.protocols
  })(network.exchangeComponents())
  listen(service, site, told)
  recordGroups(service, averager, told.audit)
  await start(service)
  const loop = new GroupLoop({
    sealing,
    peers: network.peers,
    steps: () => averager.steps,
    self: site.peerId,
    federationId: site.federation.id,
    lead: async (invited, onDeclined) => { await service.lead(invited, onDeclined) },
    clock: systemClock,
    random: Math.random
  })
  loop.start().catch((error: unknown) => { site.logger.error(error) })
  return {
    loop,
    doubts: () => sealing.doubts.keys(),
    settle: async (partner) => { await service.settle(peerIdFromString(partner)) },
    close: async () => {
      await stop(service)
      await loop.stop()
    }
  }
}

function listen (service: GroupAverage, { record, logger }: Site, { onChanged, onSent }: Told): void {
  service.addEventListener('group', ({ detail }) => {
    const { leader, members, norm, bytesSent } = detail
    record.countBytes(detail)
    onSent(bytesSent)
    onChanged()
    logger.info({ leader, members: members.length, norm }, 'a group has carried what this site trained')
  })
  service.addEventListener('failure', ({ detail: { leader, error, inDoubt, bytesSent } }) => {
    onSent(bytesSent)
    logger.info({ leader, reason: error.name, why: error.message, inDoubt }, 'a group broke off')
  })
  service.addEventListener('settled', ({ detail: { leader, verdict } }) => {
    onChanged()
    logger.info({ leader, verdict }, 'a group in doubt is settled')
  })
}
