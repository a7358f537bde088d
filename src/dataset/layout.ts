import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { systemReason } from '../common/system-error.ts'
import { InputError } from '../errors.ts'
import { FORMATS, parseName, readCapped, VOLUME_DATA } from './readers/file.ts'
import type { Modality } from './transforms/normalise.ts'
import type { Dataset, Problem } from './types.ts'

/** An image and its mask; `stem` is the name they share. */
export interface Pair {
  readonly stem: string
  readonly kind: 'picture' | 'volume'
  /** paths below the data folder */
  readonly image: string
  readonly mask: string
}

export interface Listing {
  readonly layout: Dataset['layout']
  readonly pairs: readonly Pair[]
  readonly problems: readonly Problem[]
  readonly modality: Modality
  /** image files of further channels (nnU-Net `_0001`…), which are not read */
  readonly ignoredChannels: number
}

interface Found { readonly file: string, readonly kind: 'picture' | 'volume' }

/** System litter that no one means as data. */
const LITTER = /^(\..*|thumbs\.db|desktop\.ini)$/i
const MAX_JSON_BYTES = 16 * 1024 ** 2

/** Finds the pairs of a data folder in either layout. @throws InputError when the folder has neither */
export async function listPairs (root: string): Promise<Listing> {
  const names = await listNames(root)
  const nnunet = names.includes('imagesTr')
  const [images, masks] = nnunet ? ['imagesTr', 'labelsTr'] as const : ['images', 'masks'] as const
  const missing = [images, masks].filter((name) => !names.includes(name))
  if (missing.length === 2) {
    throw new InputError(`${root} has neither images/ and masks/ nor imagesTr/ and labelsTr/: choose the folder that holds them`)
  }
  if (missing.length === 1) {
    throw new InputError(
      `${root} has no ${missing[0]}/ beside ${missing[0] === masks ? images : masks}/: add the ${missing[0] === masks ? 'masks' : 'images'}`
    )
  }
  const channels = await findFiles(root, images, nnunet)
  const labels = await findFiles(root, masks, false)
  const json = nnunet ? await readDatasetJson(root) : { modality: 'unknown' as const, problems: [] }
  return {
    layout: nnunet ? 'nnunet' : 'folders',
    ...pair(channels.found, labels.found),
    modality: json.modality,
    ignoredChannels: channels.ignored,
    problems: [
      ...json.problems,
      ...channels.problems,
      ...channels.subfolders,
      ...labels.problems,
      ...labels.subfolders,
      ...unpaired(channels.found, labels.found)
    ]
  }
}

/** Images by the name before their ending, of one folder without its subfolders. @throws InputError when it cannot be read */
export async function listImages (
  folder: string
): Promise<{ readonly images: ReadonlyMap<string, Found>, readonly problems: readonly Problem[] }> {
  const { found, problems } = await findFiles(folder, '.', false)
  return { images: found, problems }
}

async function listNames (folder: string): Promise<string[]> {
  return (await listEntries(folder)).map(({ name }) => name)
}

async function listEntries (folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter(({ name }) => !LITTER.test(name)).sort((a, b) => a.name < b.name ? -1 : 1)
  } catch (error) {
    throw new InputError(`${folder} cannot be read: ${systemReason(error)}`)
  }
}

interface Files {
  readonly found: ReadonlyMap<string, Found>
  readonly problems: readonly Problem[]
  readonly subfolders: readonly Problem[]
  readonly ignored: number
}

/** Files of one folder by stem; with `channels`, the nnU-Net suffix is taken off and only channel 0000 kept. */
async function findFiles (root: string, folder: string, channels: boolean): Promise<Files> {
  const found = new Map<string, Found>()
  const problems: Problem[] = []
  const subfolders: Problem[] = []
  let ignored = 0
  const entries = await listEntries(join(root, folder))
  const hasHeaders = entries.some(({ name }) => VOLUME_DATA.header.test(name))
  for (const entry of entries) {
    const { name } = entry
    if (hasHeaders && VOLUME_DATA.data.test(name)) continue
    const file = join(folder, name)
    const { stem, kind } = parseName(name)
    const channel = channels ? /^(.+)_(\d{4})$/.exec(stem) : [stem, stem, '0000']
    const key = channel?.[1] ?? stem
    if (entry.isDirectory()) subfolders.push({ file, reason: 'it is a folder, and subfolders are not entered: move its files up' })
    else if (kind == null) problems.push({ file, reason: `the format is not read: store ${FORMATS}` })
    else if (channel == null) problems.push({ file, reason: 'the name lacks the channel suffix _0000 of the nnU-Net layout' })
    else if (channel[2] !== '0000') ignored++
    else if (found.has(key)) problems.push({ file, reason: 'another file of the folder has the same name before the ending' })
    else found.set(key, { file, kind })
  }
  return { found, problems, subfolders, ignored }
}

function pair (images: ReadonlyMap<string, Found>, masks: ReadonlyMap<string, Found>): { pairs: Pair[] } {
  const pairs: Pair[] = []
  for (const [stem, image] of images) {
    const mask = masks.get(stem)
    if (mask?.kind === image.kind) pairs.push({ stem, kind: image.kind, image: image.file, mask: mask.file })
  }
  return { pairs }
}

function unpaired (images: ReadonlyMap<string, Found>, masks: ReadonlyMap<string, Found>): Problem[] {
  const problems: Problem[] = []
  for (const [stem, { file, kind }] of images) {
    const mask = masks.get(stem)
    if (mask == null) problems.push({ file, reason: 'the image has no mask of the same name' })
    else if (mask.kind !== kind) problems.push({ file, reason: 'image and mask must both be pictures or both be volumes' })
  }
  for (const [stem, { file }] of masks) {
    if (!images.has(stem)) problems.push({ file, reason: 'the mask has no image of the same name' })
  }
  return problems
}

/** nnU-Net 2 calls them channel_names, nnU-Net 1 modality; "CT" alone is shown through a window. */
const DatasetJson = z.object({
  channel_names: z.record(z.string(), z.string()).optional(),
  modality: z.record(z.string(), z.string()).optional()
})

async function readDatasetJson (root: string): Promise<{ modality: Modality, problems: Problem[] }> {
  const file = 'dataset.json'
  try {
    const { channel_names: names, modality } = DatasetJson.parse(
      JSON.parse((await readCapped(join(root, file), MAX_JSON_BYTES)).toString('utf8'))
    )
    const first = (names ?? modality)?.['0']
    return { modality: first == null ? 'unknown' : first.toUpperCase() === 'CT' ? 'ct' : 'other', problems: [] }
  } catch (error) {
    const reason = error instanceof InputError ? error.message : 'it is not a dataset.json of the nnU-Net layout'
    return { modality: 'unknown', problems: [{ file, reason: `${reason}; CT is recognised by its values instead` }] }
  }
}
