import { makeHomePrivate } from '../home/private-home.ts'
import { migrateHome } from '../home/version.ts'

/**
 * Before a program writes in a home: one of older software is brought to this one's format first, and what others on the machine may
 * read is closed to them, which `say` is told. @throws InputError where newer software wrote it, or a daemon is running there that has
 * not done so.
 */
export async function prepareHome (home: string, say: (sentence: string) => void): Promise<void> {
  // Loaded here so that commands which find nothing to do need no database.
  const exclusively = async (work: () => Promise<void>): Promise<void> => {
    await (await import('./network/peer-book.ts')).whileAlone(home, say, work)
  }
  await migrateHome(home, { exclusively, say })
  const changed = await makeHomePrivate(home)
  if (changed > 0) say(`other users of this machine could read ${home}: it is closed to them now (${changed} files and folders)`)
}
