import type { MemberView } from '../federation/membership/members-view.ts'
import { fetchControl } from '../node/control/client.ts'
import type { Asking } from '../page/read-site.ts'
import type { PeerView, SiteStatus } from '../rounds/status.ts'
import { membersInHome, membersOfDaemon, ownMember } from './members-of-home.ts'

/** Asks the daemon of a home, where one answers, for the page. */
export function askSite (home: string): Asking {
  return {
    status: async () => await fetchControl<SiteStatus>(home, '/status').catch(() => undefined),
    peers: async () => await fetchControl<PeerView[]>(home, '/peers').catch(() => undefined),
    members: async () => await membersOf(home)
  }
}

/** Whom the daemon knows, or where none answers the files of the home: this site first. */
export async function membersOf (home: string): Promise<MemberView[]> {
  const known = await membersOfDaemon(home) ?? await membersInHome(home)
  const own = await ownMember(home)
  return [own, ...known.filter(({ peerId }) => peerId !== own.peerId)]
}
