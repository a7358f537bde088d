import type { CommandModule } from 'yargs'
import { UsageError } from '../../../errors.ts'
import { askControl, fetchControl } from '../../control/client.ts'
import { readFederation } from '../../federation/document.ts'
import { peerIdText } from '../../federation/signed.ts'
import { readEvents } from '../../membership/events.ts'
import { readStatements } from '../../membership/files.ts'
import { MemberBook } from '../../membership/member-book.ts'
import { viewMembers, type MemberView } from '../../membership/members-view.ts'
import { withMembership } from '../../membership/offline.ts'
import { invitedAs, type Revoked } from '../../membership/site-membership.ts'
import { Standing } from '../../membership/statements.ts'
import { sitePaths } from '../../paths.ts'
import { withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

interface Args { home: string, json: boolean }

export const members: CommandModule<object, Args> = {
  command: 'members',
  describe: 'who belongs to the federation: role, last seen, last round trained, last exchange',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const list = await fetchControl<MemberView[]>(home, '/members').catch(async () => await fromHome(home))
    print(json, list, () => list.map(describe).join('\n'))
  }
}

export const revoke: CommandModule<object, Args & { peerId: string }> = {
  command: 'revoke <peerId>',
  describe: 'end the membership of a site, for good and everywhere',
  builder: (argv) => withFlags(argv.positional('peerId', { type: 'string', describe: 'peer id, as "consilium members" shows it', demandOption: true }), { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json, peerId }) => {
    if (!peerIdText.safeParse(peerId).success) throw new UsageError(`${peerId} is not a peer id: "consilium members" shows them (12D3KooW…)`)
    const told = await askControl<Revoked>(home, '/membership/revoke', { peerId })
    const { signatures, quorum, effective } = told ?? await withMembership(home, async ({ membership }) => await membership.revoke(peerId))
    const how = told == null ? 'the others learn it when this site starts' : 'the others are told'
    print(json, { peerId, signatures, quorum, effective }, effective ? `${peerId} is revoked: ${how}` : `${signatures} of ${quorum} founders have signed: ${peerId} stays a member until ${quorum - signatures} more run "consilium revoke" (${how})`)
  }
}

async function fromHome (home: string): Promise<MemberView[]> {
  const paths = sitePaths(home)
  const federation = await readFederation(paths.federation)
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  const book = await MemberBook.open(paths.members, Date.now)
  for (const { event, peer, detail } of await readEvents(paths.membershipEvents)) if (event === 'invited') book.invited(peer, ...invitedAs(detail))
  return viewMembers({ federation, standing }, book.entries, () => false)
}

function describe ({ peerId, name, role, standing, connected, lastSeen = 'never', lastRound, lastRoundAt, lastExchange = 'never' }: MemberView): string {
  const round = lastRound == null ? 'none' : `${lastRound} at ${lastRoundAt}`
  return `${name}  ${peerId}\n  ${role}${standing === 'member' ? '' : `, ${standing}`}${connected ? ', connected' : ''}; last seen ${lastSeen}; last round ${round}; last exchange ${lastExchange}`
}
