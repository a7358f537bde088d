import { InputError } from '../../errors.ts'
import { loadConfig, mergeIntoConfigFile } from '../../home/config/load.ts'
import { writeCheckedJson } from '../../home/checksum.ts'
import { readIfThere } from '../../home/files.ts'
import { sitePaths, type SitePaths } from '../../home/paths.ts'
import { readPolicy } from '../../home/policy.ts'
import { writeStartAdapter } from '../../home/start-adapter.ts'
import { requireCurrentHome } from '../../home/version.ts'
import { Amendments } from '../amendments/amendments.ts'
import { documentDigest, numberOf, readFederation, writeFederation, type Federation } from '../document.ts'
import { knownAddresses } from '../hints.ts'
import { readPeerId, requirePrivateMode } from '../identity.ts'
import { requirePolicy } from '../policy.ts'
import { readStart } from '../warm-start.ts'
import { readStatements } from './files.ts'
import { decodeInvitation, requireAddresses, requireUsableInvitation } from './invitation.ts'
import { epochOf, isNewer, keyHash, withKey, type KeyRing } from './key-ring.ts'
import { readKeyRing, writeKeyRing } from './network-key.ts'
import { Standing } from './statements.ts'

/** Which home joins, with which invitation. */
export interface JoinInit {
  /** Of a site that has its key (createIdentity). */
  readonly home: string
  /** What inviteSite gave for this site. */
  readonly invitation: string
  /** Addresses of sites that are up, beside those in the invitation. */
  readonly bootstrap?: readonly string[]
  /** The adapter that the federation starts from, where its document names one: a file, or the home of a site that has it. */
  readonly from?: string
}

/** With what the site is in it now. */
export interface JoinedFederation extends Federation {
  readonly peerId: string
  /** When the certificate ends, ISO 8601; absent for a founder, who needs none. */
  readonly validTo?: string
  /** Addresses of other sites that it knows now: where there are none, it must be found. */
  readonly bootstrap: readonly string[]
}

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
export async function joinFederation ({ home, invitation: text, bootstrap = [], from }: JoinInit): Promise<JoinedFederation> {
  requireAddresses(bootstrap)
  await requireCurrentHome(home)
  const paths = sitePaths(home)
  const invitation = await decodeInvitation(text)
  const { federation, certificate, ring } = invitation
  const peerId = await readPeerId(paths.identity)
  await requireUsableInvitation(invitation, { peerId, now: Date.now(), standing: await knownStanding(paths, federation) })
  requirePolicy(await readPolicy(paths.policy), federation.document)
  const start = from == null ? undefined : await readStart(from, federation.document)
  const { bootstrap: known } = await loadConfig(paths.config, {})
  await writeKeyRing(paths.networkKey, await mergedRing(paths, federation.id, ring))
  if (certificate != null) await writeCheckedJson(paths.certificate, { certificate, handovers: [] })
  const given = [...new Set([...bootstrap, ...invitation.bootstrap])]
  if (given.length > 0) await mergeIntoConfigFile(paths.config, { bootstrap: given })
  if (start != null) await writeStartAdapter(paths.startAdapter, start)
  await keepDocument(paths, federation)
  return {
    ...federation,
    peerId,
    bootstrap: knownAddresses(given.length > 0 ? given : known, federation.document),
    ...(certificate == null ? {} : { validTo: certificate.to })
  }
}

/** A home that has a document goes on with it until its people agree to another, unless it cannot follow from there. */
async function keepDocument (paths: SitePaths, { document }: Federation): Promise<void> {
  if (await readIfThere(paths.federation) != null) {
    const amendments = await Amendments.open(paths, await readFederation(paths.federation))
    if (numberOf(document) < numberOf(amendments.newest.document)) return
    const follows = numberOf(document) > 0 && await amendments.leave(document).then(() => true, () => false)
    if (follows || documentDigest(document) === documentDigest(amendments.newest.document)) return
  }
  await writeFederation(paths.federation, document)
}

/** What this home already knows of revocations. @throws InputError where it belongs to another federation */
async function knownStanding (paths: SitePaths, federation: Federation): Promise<Standing> {
  const standing = new Standing(federation)
  if (await readIfThere(paths.federation) == null) return standing
  if ((await readFederation(paths.federation)).id !== federation.id) {
    throw new InputError(`${paths.home} belongs to another federation: choose another --home`)
  }
  await readStatements(paths.statements, standing)
  return standing
}

/** A site that joins again keeps the keys that it has, where they are newer. */
async function mergedRing ({ networkKey }: SitePaths, federationId: string, invited: KeyRing): Promise<KeyRing> {
  if (await readIfThere(networkKey) == null) return invited
  await requirePrivateMode(networkKey)
  const own = await readKeyRing(networkKey).catch((error: unknown) => {
    if (!(error instanceof InputError)) throw error
  })
  // Damaged: that is what it joins again for.
  if (own == null) return invited
  if (own.current === invited.current || invited.statement == null) return epochOf(own) > 0 ? own : invited
  return isNewer(invited.statement, { epoch: epochOf(own), hash: keyHash(federationId, own.current) })
    ? withKey(own, invited.current, invited.statement)
    : own
}
