import { InputError } from '../../errors.ts'
import { readFederation, writeFederation, type Federation } from '../../federation/document.ts'
import { readPeerId } from '../../federation/identity.ts'
import { readStatements } from '../../federation/membership/files.ts'
import { decodeInvitation, isInvitation, MAX_INVITATION_BYTES, requireUsableInvitation } from '../../federation/membership/invitation.ts'
import { epochOf, isNewer, keyHash, withKey, type KeyRing } from '../../federation/membership/key-ring.ts'
import { readKeyRing, writeKeyRing } from '../../federation/membership/network-key.ts'
import { Standing } from '../../federation/membership/statements.ts'
import { loadConfig, mergeIntoConfigFile } from '../../home/config/load.ts'
import { readIfThere, writeJson } from '../../home/files.ts'
import { sitePaths, type SitePaths } from '../../home/paths.ts'
import { network } from '../../settings/site/network.ts'
import { requireAddresses } from '../addresses.ts'
import { command, withFlags } from '../flags.ts'
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
  describe: 'join a federation with an invitation, or the file that holds it',
  builder: (argv) =>
    withFlags(
      argv.positional('invitation', { type: 'string', describe: 'what "consilium invite" printed, or its file', demandOption: true }),
      flags
    ),
  handler: async ({ home, json, invitation: text, bootstrap }) => {
    const paths = sitePaths(home)
    requireAddresses(bootstrap)
    await prepareHome(home)
    const invitation = await decodeInvitation(isInvitation(text) ? text : await readInvitationFile(text))
    const peerId = await readPeerId(paths.identity)
    const { federation, certificate } = invitation
    await requireUsableInvitation(invitation, { peerId, now: Date.now(), standing: await knownStanding(home, federation) })
    const { bootstrap: known } = await loadConfig(paths.config, {})
    await writeKeyRing(paths.networkKey, await mergedRing(paths, federation.id, invitation.ring))
    if (certificate != null) await writeJson(paths.certificate, { certificate, handovers: [] })
    const addresses = [...new Set([...bootstrap, ...invitation.bootstrap])]
    if (addresses.length > 0) await mergeIntoConfigFile(paths.config, { bootstrap: addresses })
    await writeFederation(paths.federation, federation.document)
    const warning = addresses.length + known.length > 0
      ? undefined
      : 'this site knows no address of another one: ask for an invitation that holds one, or name a site with "consilium start ' +
        '--bootstrap ADDRESS"'
    if (warning != null) warn(warning)
    print(
      json,
      { peerId, federation: federation.id, name: federation.document.name, validTo: certificate?.to, warning },
      `${peerId} joined "${federation.document.name}": start it with "consilium start --home ${home} --data PATH"`
    )
  }
})

/** What this home already knows of revocations. @throws InputError where it belongs to another federation. */
async function knownStanding (home: string, federation: Federation): Promise<Standing> {
  const paths = sitePaths(home)
  const standing = new Standing(federation)
  if (await readIfThere(paths.federation) == null) return standing
  if ((await readFederation(paths.federation)).id !== federation.id) {
    throw new InputError(`${home} belongs to another federation: choose another --home`)
  }
  await readStatements(paths.statements, standing)
  return standing
}

async function readInvitationFile (path: string): Promise<string> {
  const bytes = await readIfThere(path)
  if (bytes == null) {
    throw new InputError(`${path} is neither an invitation nor a file: copy the invitation as a whole, or name the file that holds it`)
  }
  if (bytes.length > 2 * MAX_INVITATION_BYTES) throw new InputError(`${path} is no invitation: it is too long`)
  return bytes.toString('utf8')
}

/** A site that joins again keeps the keys that it has, where they are newer. */
async function mergedRing ({ networkKey }: SitePaths, federationId: string, invited: KeyRing): Promise<KeyRing> {
  if (await readIfThere(networkKey) == null) return invited
  const own = await readKeyRing(networkKey)
  if (own.current === invited.current || invited.statement == null) return epochOf(own) > 0 ? own : invited
  return isNewer(invited.statement, { epoch: epochOf(own), hash: keyHash(federationId, own.current) })
    ? withKey(own, invited.current, invited.statement)
    : own
}
