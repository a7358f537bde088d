import { messageOf } from '../../common/message-of.ts'
import type { FederationDocument } from '../../federation/document.ts'
import { joinFederation } from '../../federation/membership/join-federation.ts'
import { sitePaths } from '../../home/paths.ts'
import { readStartAdapter, startAdapterOf } from '../../home/start-adapter.ts'
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
  bootstrap: flagWithDefault(network.shape.bootstrap),
  from: {
    type: 'string',
    describe: 'the adapter that the federation starts from, where its document names one: the file that a founder gave you'
  }
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
  handler: async ({ home, json, invitation: text, bootstrap, from }) => {
    requireAddresses(bootstrap)
    await prepareHome(home)
    const invitation = await readInvitation(text)
    const joined = await joinFederation({ home, invitation, bootstrap, ...(from == null ? {} : { from }) })
    const { peerId, id, document, validTo, bootstrap: known } = joined
    const warning = known.length > 0
      ? undefined
      : 'this site knows no address of another one: ask for an invitation that holds one, or name a site with "consilium start ' +
        '--bootstrap ADDRESS"'
    if (warning != null) warn(warning)
    const lacks = await lacksStart(home, document)
    if (lacks != null) warn(lacks)
    print(
      json,
      { peerId, federation: id, name: document.name, validTo, warning, lacks },
      `${peerId} joined "${document.name}": start it with "consilium start --home ${home} --data PATH"`
    )
  }
})

/** What the start would say of the adapter that the federation starts from. */
async function lacksStart (home: string, { start }: FederationDocument): Promise<string | undefined> {
  const wanted = startAdapterOf(sitePaths(home).startAdapter, start)
  return wanted == null ? undefined : await readStartAdapter(wanted).then(() => undefined, messageOf)
}
