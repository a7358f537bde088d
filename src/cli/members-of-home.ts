import { readFederation } from '../federation/document.ts'
import { readEvents } from '../federation/membership/events.ts'
import { readStatements } from '../federation/membership/files.ts'
import { MemberBook } from '../federation/membership/member-book.ts'
import { viewMembers, type MemberView } from '../federation/membership/members-view.ts'
import { invitedAs } from '../federation/membership/site-membership.ts'
import { Standing } from '../federation/membership/statements.ts'
import { sitePaths } from '../home/paths.ts'
import { requireKnownHome } from '../home/version.ts'
import { fetchControl } from '../node/control/client.ts'

/** Whom the running daemon of `home` knows, or undefined where none answers. */
export async function membersOfDaemon (home: string): Promise<MemberView[] | undefined> {
  return await fetchControl<MemberView[]>(home, '/members').catch(() => undefined)
}

/** Whom the files of `home` name: what the daemon has in mind is there some seconds later. */
export async function membersInHome (home: string): Promise<MemberView[]> {
  await requireKnownHome(home)
  const paths = sitePaths(home)
  const federation = await readFederation(paths.federation)
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  const book = await MemberBook.open(paths.members, Date.now)
  for (const { event, peer, detail } of await readEvents(paths.membershipEvents)) {
    if (event === 'invited') book.invited(peer, ...invitedAs(detail))
  }
  return viewMembers({ federation, standing }, book.entries, () => false)
}

/** What this site knows of one other, if anything. */
export async function knownMember (home: string, peerId: string): Promise<MemberView | undefined> {
  const known = [...await membersOfDaemon(home) ?? [], ...await membersInHome(home)]
  return known.find((each) => each.peerId === peerId)
}
