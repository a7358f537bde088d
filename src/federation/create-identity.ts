import { sitePaths } from '../home/paths.ts'
import { markNewHome } from '../home/version.ts'
import { loadOrCreateIdentity, readPeerId } from './identity.ts'

/**
 * The peer id of a site's key, which is made on first use; the environment's CONSILIUM_PASSPHRASE protects a new one. @throws InputError
 * for a key that is damaged, or that others may read, and where newer software wrote the home
 * @example
 * ```ts
 * import { createIdentity } from 'consilium'
 *
 * const peerId = await createIdentity('home')
 * console.log(peerId === await createIdentity('home')) // true
 * ```
 */
export async function createIdentity (home: string): Promise<string> {
  const { identity } = sitePaths(home)
  await markNewHome(home)
  await loadOrCreateIdentity(identity)
  return await readPeerId(identity)
}
