import { InputError } from '../../errors.ts'
import { readPeerId } from '../../federation/identity.ts'
import { sitePaths } from '../../home/paths.ts'
import { askControl } from '../../node/control/client.ts'
import type { Left } from '../../node/leave.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

export const leave = command({
  command: 'leave',
  describe: "end this site's own membership, for good: the daemon settles what is in doubt, tells the others and stops",
  builder: (argv) =>
    withFlags(argv, {
      ...homeFlag,
      ...jsonFlag,
      yes: { type: 'boolean', describe: 'also where exchanges stay in doubt, or too few founders are left', default: false }
    }),
  handler: async ({ home, json, yes }) => {
    const peerId = await readPeerId(sitePaths(home).identity)
    const left = await askControl<Left>(home, '/membership/leave', { although: yes })
    if (left == null) {
      throw new InputError(`no daemon answers for ${home}, and the others have to be told: start it and leave beside it, or let a ` +
        `founder run "consilium revoke ${peerId}"`)
    }
    print(json, { peerId, ...left }, () => describe(left))
  }
})

function describe ({ signatures, quorum, effective, told, inDoubt }: Left): string {
  if (!effective) {
    const missing = quorum - signatures
    return `${signatures} of ${quorum} founders have signed: this site stays a member until ${missing} more run "consilium revoke"`
  }
  const doubt = inDoubt.length === 0 ? '' : `; an exchange with ${inDoubt.join(', ')} stays in doubt, and in the ledgers`
  const who = told === 1 ? '1 site was told, and tells' : `${told} sites were told, and tell`
  return `this site has left: ${who} the others${doubt}; the daemon stops, and what is in this home stays`
}
