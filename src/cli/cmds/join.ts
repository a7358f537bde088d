import { InputError } from '../../errors.ts'
import { isInvitation, MAX_INVITATION_BYTES } from '../../federation/membership/invitation.ts'
import { joinFederation } from '../../federation/membership/join-federation.ts'
import { readIfThere } from '../../home/files.ts'
import { network } from '../../settings/site/network.ts'
import { requireAddresses } from '../addresses.ts'
import { command, STANDARD_INPUT, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
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
    const invitation = text === STANDARD_INPUT ? await readStandardInput() : isInvitation(text) ? text : await readInvitationFile(text)
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

const MOST_BYTES = 2 * MAX_INVITATION_BYTES

async function readStandardInput (): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    if (text.length > MOST_BYTES) throw new InputError('what came on standard input is no invitation: it is too long')
  }
  return text.trim()
}

async function readInvitationFile (path: string): Promise<string> {
  const bytes = await readIfThere(path)
  if (bytes == null) {
    throw new InputError(`${path} is neither an invitation nor a file: copy the invitation as a whole, or name the file that holds it`)
  }
  if (bytes.length > MOST_BYTES) throw new InputError(`${path} is no invitation: it is too long`)
  return bytes.toString('utf8')
}
