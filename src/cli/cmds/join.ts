import { joinFederation } from '../../federation/membership/join-federation.ts'
import { network } from '../../settings/site/network.ts'
import { requireAddresses } from '../addresses.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { readInvitation } from '../read-invitation.ts'
import { flagWithDefault } from '../setting-flags.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  bootstrap: flagWithDefault(network.shape.bootstrap)
} as const

export const join = command({
  command: 'join <invitation>',
  describe: 'join a federation with an invitation, or better the file that holds it or standard input (-), which nobody else sees',
  builder: (argv) =>
    withFlags(
      argv.positional('invitation', {
        type: 'string',
        describe: 'what "consilium invite" printed, its file, or - for standard input',
        demandOption: true
      }),
      flags
    ),
  handler: async ({ home, json, invitation: text, bootstrap }) => {
    requireAddresses(bootstrap)
    await prepareHome(home)
    const invitation = await readInvitation(text)
    const { peerId, id, document, validTo, bootstrap: known } = await joinFederation({ home, invitation, bootstrap })
    const warning = known.length > 0
      ? undefined
      : 'this site knows no address of another one: ask for an invitation that holds one, or name a site with "consilium start ' +
        '--bootstrap ADDRESS"'
    if (warning != null) warn(warning)
    print(
      json,
      { peerId, federation: id, name: document.name, validTo, warning },
      `${peerId} joined "${document.name}": start it with "consilium start --home ${home} --data PATH"`
    )
  }
})
