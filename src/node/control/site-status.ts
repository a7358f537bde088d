import type { SiteStatus } from '../../rounds/status.ts'
import { fetchControl } from './client.ts'

/**
 * What the daemon that runs in this home is doing, and where it listens. @throws InputError where none runs
 * @example
 * ```ts
 * import { siteStatus } from 'consilium'
 *
 * const status = await siteStatus('home').catch((error: Error) => error.message)
 * console.log(status) // no daemon answers for home: start it with "consilium start --home home --data PATH"
 * ```
 */
export async function siteStatus (home: string): Promise<SiteStatus> {
  return await fetchControl<SiteStatus>(home, '/status')
}
