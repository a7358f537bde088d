import { rm } from 'node:fs/promises'
import { LevelDatastore } from 'datastore-level'
import type { Key } from 'interface-datastore'
import { SYSTEM_ERRORS, systemReason } from '../../common/system-error.ts'
import { InputError } from '../../errors.ts'
import { makePrivateFolder } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'

export interface PeerBook {
  readonly datastore: LevelDatastore
  /** True when the addresses known before could not be read and the book starts empty. */
  readonly wasDamaged: boolean
}

export const DAMAGED_PEER_BOOK =
  'the file of known peers was damaged and starts empty: other sites are found again through bootstrap addresses'

/** LevelDB hands on the system's words alone, where Node has a code. */
const CODES: readonly (readonly [RegExp, string])[] = [
  [/permission denied/i, 'EACCES'],
  [/operation not permitted/i, 'EPERM'],
  [/read-only file system/i, 'EROFS'],
  [/no space left/i, 'ENOSPC'],
  [/quota exceeded/i, 'EDQUOT'],
  [/not a directory/i, 'ENOTDIR']
]

/**
 * libp2p's peer store takes a read that was given up for a peer that it does not know, and then writes it anew, without its addresses:
 * no read is given up.
 */
class PeerDatastore extends LevelDatastore {
  override async get (key: Key): Promise<Uint8Array> {
    return await super.get(key)
  }
}

/** The datastore that keeps known peers over restarts. @throws InputError where a daemon has it, or it cannot be opened. */
export async function openPeerBook (folder: string, home: string): Promise<PeerBook> {
  try {
    return { datastore: await open(folder), wasDamaged: false }
  } catch (error) {
    const found = causes(error)
    if (found.some(({ code }) => code === 'LEVEL_LOCKED')) {
      throw new InputError(`another daemon is running in ${home}: stop it or choose another --home`)
    }
    if (!found.some(isDamage)) throw new InputError(refusalOf(error, folder))
  }
  try {
    await rm(folder, { recursive: true })
    return { datastore: await open(folder), wasDamaged: true }
  } catch (error) {
    throw new InputError(refusalOf(error, folder))
  }
}

/** Why no book can be opened in this folder, as one sentence. */
export function refusalOf (error: unknown, folder: string): string {
  const cause = causes(error).at(-1)
  // Before them stands the path, which may hold any word.
  const words = cause?.message.slice(cause.message.lastIndexOf(': '))
  const code = CODES.find(([pattern]) => pattern.test(words ?? ''))?.[1] ?? cause?.code
  return SYSTEM_ERRORS[code ?? '']?.sentence(folder) ??
    `${folder} cannot be opened: ${systemReason(cause)}; mend the folder, or choose another --home`
}

/**
 * Keeps every daemon out of this home until what it returns is called: the book has a lock that ends with its process. @throws InputError
 * where one is in it.
 */
export async function lockHome (home: string, say: (sentence: string) => void): Promise<() => Promise<void>> {
  const { datastore, wasDamaged } = await openPeerBook(sitePaths(home).peers, home)
  if (wasDamaged) say(DAMAGED_PEER_BOOK)
  return async () => { await datastore.close() }
}

/** Does something while no daemon can be in this home. @throws InputError where one is. */
export async function whileAlone (home: string, say: (sentence: string) => void, work: () => Promise<void>): Promise<void> {
  const letGo = await lockHome(home, say)
  try {
    await work()
  } finally {
    await letGo()
  }
}

async function open (folder: string): Promise<LevelDatastore> {
  const store = new PeerDatastore(folder)
  // The database makes its files as the system says: its folder is for this user alone. Where it cannot be made, opening says why.
  await makePrivateFolder(folder).catch(() => {})
  // The datastore's own open() drops the reason of a failure.
  await store.db.open()
  try {
    // A table is read when it is needed: damage would end the daemon later.
    for await (const pair of store.query({})) if (pair.value == null) break
  } catch (error) {
    await store.close()
    throw error
  }
  return store
}

/** Of the files of the book: cut, changed, or missing beside the others. */
function isDamage ({ code, message }: { readonly code?: string, readonly message: string }): boolean {
  return code === 'LEVEL_CORRUPTION' ||
    (code === 'LEVEL_IO_ERROR' && /(\.ldb|MANIFEST[^/]*): (invalid argument|no such file)/i.test(message))
}

function causes (error: unknown): { code?: string, message: string }[] {
  const found: { code?: string, message: string }[] = []
  for (let each = error; each instanceof Error; each = each.cause) found.push(each)
  return found
}
