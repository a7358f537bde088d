import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { loadDataset } from '../../src/dataset/index.ts'
import { InputError, UsageError } from '../../src/errors.ts'
import type { DataChoice, DataFolder, SiteData } from '../../src/experiment/data-source.ts'
import { readingOf } from '../../src/site-model/reading.ts'
import { fitLabelled } from './fit-labelled.ts'

const FEWEST_SITES = 2

/** A folder of sites as it is now. @throws UsageError when it does not have two folders */
export async function openFolder (path: string): Promise<DataFolder> {
  const sites = (await readdir(path, { withFileTypes: true })).filter((each) => each.isDirectory() && !each.name.startsWith('.'))
    .map(({ name }) => name).sort()
  if (sites.length < FEWEST_SITES) {
    throw new UsageError(`--data: ${path} holds ${sites.length} folders: it must hold one for each site, and two sites or more`)
  }
  const files = await filesOf(sites.map((site) => join(path, site)))
  const digest = await digestOf(path, files)
  return { name: basename(resolve(path)), path: resolve(path), digest, sites, images: Math.ceil(files.length / 2 / sites.length) }
}

/** All of its sites, each split by subject with the seed. @throws InputError for a site with too few images */
export async function folderData (
  { path, sites }: DataFolder,
  { seed, settings, labelling, noise }: DataChoice,
  side: number
): Promise<SiteData[]> {
  const { model = {}, train = {}, labels } = settings ?? {}
  const empty = (train.emptyShare ?? 0) > 0
  const reading = { ...readingOf({ model: { window: 'auto', ...model }, labels }, undefined), empty }
  return await Promise.all(sites.map(async (name, site) => {
    const { slices } = await loadDataset(join(path, name), { ...reading, ...(labelling == null ? { sides: [side] } : {}) })
    const split = await fitLabelled(slices, side, { ...train, seed, labelling, noise, site, name })
    if (split.train.length === 0 || split.validation.length === 0) {
      throw new InputError(`${join(path, name)} has too few images (${slices.length}) to split into training and validation`)
    }
    return { name, ...split }
  }))
}

async function filesOf (folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(folders.map(async (folder) => await readdir(folder, { recursive: true, withFileTypes: true })))
  return found.flat().filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name)).sort()
}

async function digestOf (path: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    const own = createHash('sha256')
    for await (const chunk of createReadStream(file)) own.update(chunk as Buffer)
    hash.update(`${own.digest('hex')}  ${relative(path, file).replaceAll('\\', '/')}\n`)
  }
  return hash.digest('hex')
}
