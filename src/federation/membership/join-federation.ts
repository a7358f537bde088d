import { InputError } from '../../errors.ts'
import { mergeIntoConfigFile } from '../../home/config/load.ts'
import { readIfThere, writeJson } from '../../home/files.ts'
import { sitePaths, type SitePaths } from '../../home/paths.ts'
import { readFederation, writeFederation, type Federation } from '../document.ts'
import { readPeerId } from '../identity.ts'
import { readStatements } from './files.ts'
import { decodeInvitation, requireUsableInvitation } from './invitation.ts'
import { epochOf, isNewer, keyHash, withKey, type KeyRing } from './key-ring.ts'
import { readKeyRing, writeKeyRing } from './network-key.ts'
import { Standing } from './statements.ts'

/**
 * Takes the federation, the network key and the certificate out of an invitation into a home that has its key (createIdentity).
 * @throws InputError for an invitation that is not this site's, not valid now, or of another federation than the home's
 * @example
 * ```ts
 * import { createFederation, createIdentity, inviteSite, joinFederation } from 'consilium'
 *
 * const founded = await createFederation({ home: 'north', name: 'Two towns', rounds: 2 })
 * const { invitation } = await inviteSite({ home: 'north', peerId: await createIdentity('south'), name: 'South' })
 * const joined = await joinFederation({ home: 'south', invitation })
 * console.log(joined.id === founded.id) // true
 * ```
 */
export async function joinFederation ({ home, invitation: text }: { home: string, invitation: string }): Promise<Federation> {
  const paths = sitePaths(home)
  const invitation = await decodeInvitation(text)
  const { federation, certificate, ring, bootstrap } = invitation
  const peerId = await readPeerId(paths.identity)
  await requireUsableInvitation(invitation, { peerId, now: Date.now(), standing: await knownStanding(paths, federation) })
  await writeKeyRing(paths.networkKey, await mergedRing(paths, federation.id, ring))
  if (certificate != null) await writeJson(paths.certificate, { certificate, handovers: [] })
  if (bootstrap.length > 0) await mergeIntoConfigFile(paths.config, { bootstrap: [...bootstrap] })
  await writeFederation(paths.federation, federation.document)
  return federation
}

/** What this home already knows of revocations. @throws InputError where it belongs to another federation */
async function knownStanding (paths: SitePaths, federation: Federation): Promise<Standing> {
  const standing = new Standing(federation)
  if (await readIfThere(paths.federation) == null) return standing
  if ((await readFederation(paths.federation)).id !== federation.id) {
    throw new InputError(`${paths.home} belongs to another federation: choose another home`)
  }
  await readStatements(paths.statements, standing)
  return standing
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
