import { join } from 'node:path'
import { loadConfig } from '../home/config/load.ts'
import { sitePaths } from '../home/paths.ts'
import { parseAddress, type PacsAddress } from './address.ts'
import { PacsClient } from './client.ts'
import { readAuthorization } from './credentials.ts'
import { PacsCache, type PacsFolder } from './pacs-cache.ts'
import { readLabelled, readOneSeries, type PacsRead } from './read-pacs.ts'

interface Options {
  /** MiB of files that are kept; by default what the site's settings say */
  readonly pacsCache?: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** What a site trains on, of the PACS that an address names, into the home's private folder. @throws InputError */
export async function readFromPacs (address: string, home: string, options: Options = {}): Promise<PacsRead> {
  const opened = await openPacs(address, home, options)
  return await readLabelled(opened.address, { ...opened, ...options })
}

/** A series of a PACS in the home's private folder, and the way back for what is made of it. */
export interface SeriesOfPacs {
  readonly folder: string
  /** Stores a DICOM file in the study of the series. @throws InputError where the PACS does not take it */
  store (bytes: Uint8Array): Promise<void>
}

/** @throws InputError where the address names no series, or several */
export async function readSeriesOfPacs (address: string, home: string, options: Options = {}): Promise<SeriesOfPacs> {
  const opened = await openPacs(address, home, options)
  const { folder, study } = await readOneSeries(opened.address, { ...opened, ...options })
  return { folder, store: async (bytes) => { await opened.client.store(study, bytes) } }
}

interface Pacs { readonly address: PacsAddress, readonly client: PacsClient, readonly folder: PacsFolder }

async function openPacs (text: string, home: string, { signal, ...given }: Options): Promise<Pacs> {
  const address = parseAddress(text)
  const { config, pacs, privateStore } = sitePaths(home)
  const { pacsCache } = await loadConfig(config, { pacsCache: given.pacsCache })
  const client = new PacsClient({ base: address.base, authorization: await readAuthorization(pacs), signal })
  const cache = await PacsCache.open(join(privateStore, 'pacs'), pacsCache * 2 ** 20)
  return { address, client, folder: await cache.folder(text) }
}
