import { chmod, lstat, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { isMissing, namesIn, PRIVATE_FILE, PRIVATE_FOLDER } from './files.ts'
import { sitePaths } from './paths.ts'

const OTHERS = 0o077
/** Ledgers and copies that were put aside. */
const ASIDE = /^(audit[-.]|before-format-|adapter\.)/

/**
 * Takes away what others on the machine may do with a home and what is in it: software before 0.2.0 left them what the system gives.
 * Keys are not touched, since a key that others could read is refused. Returns how many files and folders were changed.
 */
export async function makeHomePrivate (home: string): Promise<number> {
  const paths = sitePaths(home)
  const names = await namesIn(home)
  if (![paths.identity, paths.federation].some((path) => names.includes(relative(home, path)))) return 0
  const ours = new Set(Object.values(paths).map((path: string) => relative(home, path).split(sep)[0]))
  for (const key of [paths.identity, paths.networkKey, paths.pacs]) ours.delete(relative(home, key))
  let changed = await restrict(home)
  for (const name of names.filter((each) => ours.has(each) || ASIDE.test(each))) {
    const path = join(home, name)
    const own = await restrict(path)
    changed += own
    // The database of peers makes new files as the system says, again and again.
    if (path !== paths.peers || own > 0) changed += await restrictAll(path)
  }
  return changed
}

async function restrictAll (path: string): Promise<number> {
  let changed = 0
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => [])
  for (const { parentPath, name } of entries) changed += await restrict(join(parentPath, name))
  return changed
}

/** 1 where it was changed. A link, and what it points to, is whoever made it's own affair. */
async function restrict (path: string): Promise<number> {
  try {
    const found = await lstat(path)
    if ((found.mode & OTHERS) === 0 || !(found.isFile() || found.isDirectory())) return 0
    await chmod(path, found.isDirectory() ? PRIVATE_FOLDER : PRIVATE_FILE)
    return 1
  } catch (error) {
    // A daemon in this home removes files as it goes; another's file is refused with a sentence where it is written.
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EPERM') return 0
    throw error
  }
}
