import { withMembership, type OfflineSite } from '../federation/membership/offline.ts'
import { prepareHome as prepare } from '../node/prepare-home.ts'
import { warn } from './output.ts'

/** Before a command writes in a home; as for the daemon, and what was done is said in the terminal unless `say` is given. */
export async function prepareHome (home: string, say: (sentence: string) => void = warn): Promise<void> {
  await prepare(home, say)
}

/** Works on a home whose daemon does not run. */
export async function offline<T> (home: string, work: (site: OfflineSite) => Promise<T>): Promise<T> {
  await prepareHome(home)
  return await withMembership(home, work)
}
