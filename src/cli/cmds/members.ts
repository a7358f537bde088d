import { InputError, UsageError } from '../../errors.ts'
import { readPeerId } from '../../federation/identity.ts'
import type { MemberView } from '../../federation/membership/members-view.ts'
import type { Revoked } from '../../federation/membership/site-membership.ts'
import { peerIdText } from '../../federation/signed.ts'
import { sitePaths } from '../../home/paths.ts'
import { askControl } from '../../node/control/client.ts'
import { membersOf } from '../ask-site.ts'
import { command, withFlags } from '../flags.ts'
import { knownMember } from '../members-of-home.ts'
import { describeArrived, describePace, describeReads, homeFlag, jsonFlag, print } from '../output.ts'
import { offline } from '../prepare-home.ts'

export const members = command({
  command: 'members',
  describe: 'who belongs to the federation, this site first: role, last seen, last round trained, last exchange',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const list = await membersOf(home)
    print(json, list, () => list.map(describe).join('\n'))
  }
})

export const revoke = command({
  command: 'revoke <peerId>',
  describe: 'end the membership of a site, for good and everywhere',
  builder: (argv) =>
    withFlags(argv.positional('peerId', { type: 'string', describe: 'peer id, as "consilium members" shows it', demandOption: true }), {
      ...homeFlag,
      ...jsonFlag,
      yes: { type: 'boolean', describe: 'also a site that nobody here has invited or met', default: false }
    }),
  handler: async ({ home, json, peerId, yes }) => {
    if (!peerIdText.safeParse(peerId).success) {
      throw new UsageError(`${peerId} is not a peer id: "consilium members" shows them (12D3KooW…)`)
    }
    if (!yes && await isUnknown(home, peerId)) {
      throw new InputError(
        `nobody here has invited or met ${peerId}, and to revoke is for good: compare it with "consilium members", or give --yes too`
      )
    }
    const told = await askControl<Revoked>(home, '/membership/revoke', { peerId })
    const { signatures, quorum, effective } = told ?? await offline(home, async (
      { membership }
    ) => await membership.issueRevocation(peerId))
    const how = told == null ? 'the others learn it when this site starts' : 'the others are told'
    print(
      json,
      { peerId, signatures, quorum, effective },
      effective
        ? `${peerId} is revoked: ${how}`
        : `${signatures} of ${quorum} founders have signed: ${peerId} stays a member until ${
          quorum - signatures
        } more run "consilium revoke" (${how})`
    )
  }
})

/** Nor is it this site itself, which is refused in words of its own. */
async function isUnknown (home: string, peerId: string): Promise<boolean> {
  return await readPeerId(sitePaths(home).identity) !== peerId && await knownMember(home, peerId) == null
}

function describe (
  { peerId, name, role, standing, connected, lastSeen = 'never', lastRound, lastRoundAt, lastExchange = 'never', ...rest }: MemberView
): string {
  const round = lastRound == null ? 'none' : `${lastRound} at ${lastRoundAt}`
  const held = standing === 'member' ? '' : `, ${standing}`
  if (rest.isSelf === true) return `${name}  ${peerId}\n  ${role}, this site${held}${describeReads(rest.reads)}; last round ${round}`
  return `${name}  ${peerId}\n  ${role}${held}${
    connected ? `, connected${rest.reach == null ? '' : `, ${rest.reach}`}` : ''
  }; last seen ${lastSeen}; last round ${round}; last exchange ${lastExchange}${describeReads(rest.reads)}${describeArrived(rest.steps)}${
    describePace(rest.pace)
  }${rest.software == null ? '' : `; consilium ${rest.software}`}`
}
