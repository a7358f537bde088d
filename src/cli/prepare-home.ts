import { withMembership, type OfflineSite } from '../federation/membership/offline.ts'
import { migrateHome } from '../home/version.ts'
import { warn } from './output.ts'

/**
 * Before a command writes in a home: homes of older software are brought to this one's format first, which `say` is told. @throws
 * InputError where newer software wrote it, or a daemon is running there that has not done so.
 */
export async function prepareHome (home: string, say: (sentence: string) => void = warn): Promise<void> {
  // Loaded here so that commands which find nothing to do need no database.
  const exclusively = async (work: () => Promise<void>): Promise<void> => {
    await (await import('../node/network/peer-book.ts')).whileAlone(home, say, work)
  }
  await migrateHome(home, { exclusively, say })
}

/** Works on a home whose daemon does not run. */
export async function offline<T> (home: string, work: (site: OfflineSite) => Promise<T>): Promise<T> {
  await prepareHome(home)
  return await withMembership(home, work)
}
