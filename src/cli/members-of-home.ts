import { readNewestFederation } from '../federation/amendments/amendments.ts'
import { readPeerId } from '../federation/identity.ts'
import { invitedAs, readEvents } from '../federation/membership/events.ts'
import { readCredential, readStatements } from '../federation/membership/files.ts'
import { MemberBook } from '../federation/membership/member-book.ts'
import { viewMembers, type MemberView } from '../federation/membership/members-view.ts'
import { Standing } from '../federation/membership/statements.ts'
import { loadConfig } from '../home/config/load.ts'
import { MetricsLog, type RoundRecord } from '../home/metrics-log.ts'
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
  const federation = await readNewestFederation(paths)
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  const book = await MemberBook.open(paths.members, Date.now)
  for (const { event, peer, detail } of await readEvents(paths.membershipEvents)) {
    if (event === 'invited') book.invited(peer, ...invitedAs(detail))
  }
  return viewMembers({ federation, standing }, book.entries, () => false)
}

/** This site's own line, as its files have it. */
export async function ownMember (home: string): Promise<MemberView> {
  const paths = sitePaths(home)
  const peerId = await readPeerId(paths.identity)
  const federation = await readNewestFederation(paths)
  const { founders } = federation.document
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  const { certificate } = await readCredential(paths.certificate)
  const { name, withoutLabels } = await loadConfig(paths.config, {})
  const last = (await MetricsLog.open(paths.metrics)).records.at(-1)
  return {
    peerId,
    name: certificate?.name ?? name ?? 'founder',
    role: founders.includes(peerId) ? 'founder' : certificate?.role ?? 'member',
    standing: standing.hasLeft(peerId) ? 'left' : certificate != null && Date.parse(certificate.to) <= Date.now() ? 'expired' : 'member',
    connected: false,
    isSelf: true,
    ...readsBy(withoutLabels, last),
    ...(certificate == null ? {} : { validTo: certificate.to }),
    ...(last == null ? {} : { lastRound: last.round, lastRoundAt: last.t })
  }
}

/** By its settings, or by what it did when it ran last. */
function readsBy (withoutLabels: boolean, last: RoundRecord | undefined): Pick<MemberView, 'reads'> {
  return withoutLabels || (last != null && last.dice == null && last.lossG == null) ? { reads: true } : {}
}

/** What this site knows of one other, if anything. */
export async function knownMember (home: string, peerId: string): Promise<MemberView | undefined> {
  const known = [...await membersOfDaemon(home) ?? [], ...await membersInHome(home)]
  return known.find((each) => each.peerId === peerId)
}
