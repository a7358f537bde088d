import { rm } from 'node:fs/promises'
import { LevelDatastore } from 'datastore-level'
import type { Key } from 'interface-datastore'
import { InputError } from '../../errors.ts'
import { sitePaths } from '../../home/paths.ts'

export interface PeerBook {
  readonly datastore: LevelDatastore
  /** True when the addresses known before could not be read and the book starts empty. */
  readonly wasDamaged: boolean
}

export const DAMAGED_PEER_BOOK =
  'the file of known peers was damaged and starts empty: other sites are found again through bootstrap addresses'

/**
 * libp2p's peer store takes a read that was given up for a peer that it does not know, and then writes it anew, without its addresses:
 * no read is given up.
 */
class PeerDatastore extends LevelDatastore {
  override async get (key: Key): Promise<Uint8Array> {
    return await super.get(key)
  }
}

/** The datastore that keeps known peers over restarts. @throws InputError when another daemon uses the same home. */
export async function openPeerBook (folder: string, home: string): Promise<PeerBook> {
  try {
    return { datastore: await open(folder), wasDamaged: false }
  } catch (error) {
    if (causes(error).some(({ code }) => code === 'LEVEL_LOCKED')) {
      throw new InputError(`another daemon is running in ${home}: stop it or choose another --home`)
    }
    if (!causes(error).some(({ message }) => /corruption/i.test(message))) throw error
    await rm(folder, { recursive: true })
    return { datastore: await open(folder), wasDamaged: true }
  }
}

/** Does something while no daemon can be in this home: the book has a lock that ends with its process. @throws InputError where one is. */
export async function whileAlone (home: string, say: (sentence: string) => void, work: () => Promise<void>): Promise<void> {
  const { datastore, wasDamaged } = await openPeerBook(sitePaths(home).peers, home)
  if (wasDamaged) say(DAMAGED_PEER_BOOK)
  try {
    await work()
  } finally {
    await datastore.close()
  }
}

async function open (folder: string): Promise<LevelDatastore> {
  const store = new PeerDatastore(folder)
  // The datastore's own open() drops the reason of a failure.
  await store.db.open()
  return store
}

function causes (error: unknown): { code?: string, message: string }[] {
  const found: { code?: string, message: string }[] = []
  for (let each = error; each instanceof Error; each = each.cause) found.push(each)
  return found
}
