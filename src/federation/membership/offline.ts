import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { sitePaths, type SitePaths } from '../../home/paths.ts'
import { readFederation, type Federation } from '../document.ts'
import { loadIdentity } from '../identity.ts'
import { appendEvent, type MembershipEvent } from './events.ts'
import { SiteMembership } from './site-membership.ts'

/** A home whose daemon does not run. */
export interface OfflineSite {
  readonly paths: SitePaths
  readonly federation: Federation
  readonly key: PrivateKey
  readonly peerId: string
  readonly membership: SiteMembership
}

/** Works on a home without a daemon: what happens there is told to the ledger at the next start. */
export async function withMembership<T> (home: string, work: (site: OfflineSite) => Promise<T>): Promise<T> {
  const paths = sitePaths(home)
  const federation = await readFederation(paths.federation)
  const key = await loadIdentity(paths.identity)
  const peerId = peerIdFromPrivateKey(key).toString()
  const events: MembershipEvent[] = []
  const membership = await SiteMembership.open({ paths, federation, key, peerId, onEvent: (event) => { events.push(event) } })
  const result = await work({ paths, federation, key, peerId, membership })
  for (const event of events) if (event.kind === 'membership') await appendEvent(paths.membershipEvents, event)
  return result
}
