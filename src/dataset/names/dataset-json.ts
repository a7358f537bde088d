import { dirname, join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readCapped } from '../../formats/file.ts'
import type { Modality } from '../transforms/normalise.ts'
import type { Problem } from '../types.ts'

const MAX_JSON_BYTES = 16 * 1024 ** 2

/** nnU-Net 2 calls them channel_names, nnU-Net 1 and the Decathlon modality; `subjects` is ours: the subject of an image by its name. */
const DatasetJson = z.object({
  channel_names: z.record(z.string(), z.string()).optional(),
  modality: z.union([z.record(z.string(), z.string()), z.string()]).optional(),
  subjects: z.record(z.string(), z.string()).optional()
})

/** What a data set says of itself. */
export interface Statement {
  /** Whether its dataset.json could be read. */
  readonly stated: boolean
  readonly modality: Modality
  /** How many channels an image has. */
  readonly channels: number
  /** What they are called, by their numbers. */
  readonly names: ReadonlyMap<number, string>
  /** By name of the image. */
  readonly subjects: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

/** Nothing is stated. */
export const SILENT: Statement = { stated: false, modality: 'unknown', channels: 1, names: new Map(), subjects: new Map(), problems: [] }

/** What dataset.json says; a problem where it says nothing that is understood. */
export async function readDatasetJson (root: string): Promise<Statement> {
  const file = 'dataset.json'
  try {
    const { channel_names: names, modality, subjects } = DatasetJson.parse(
      JSON.parse((await readCapped(join(root, file), MAX_JSON_BYTES)).toString('utf8').replace(/^\uFEFF/, ''))
    )
    const channels = names ?? (typeof modality === 'string' ? { 0: modality } : modality) ?? {}
    return {
      stated: true,
      modality: modalityNamed(channels['0']),
      channels: Math.max(1, Object.keys(channels).length),
      names: new Map(Object.entries(channels).map(([number, name]) => [Number(number), name])),
      subjects: new Map(Object.entries(subjects ?? {}).map(([name, subject]) => [name.normalize('NFC'), subject.normalize('NFC')])),
      problems: []
    }
  } catch (error) {
    const reason = error instanceof InputError ? error.message : 'it is not a dataset.json of the nnU-Net layout'
    return { ...SILENT, problems: [{ file, reason: `${reason}; CT is recognised by its values instead` }] }
  }
}

/** "CT" is shown through a window, in whatever letters; a channel of another name is not. */
export function modalityNamed (channel: string | undefined): Modality {
  if (channel == null || channel.trim() === '') return 'unknown'
  return /^(ct|computed tomography)$/i.test(channel.trim()) ? 'ct' : 'other'
}

/** What the data set of a single image says: its dataset.json lies beside the folder of images, or in it. */
export async function readStatement (image: string): Promise<Statement> {
  for (const folder of [join(dirname(image), '..'), dirname(image)]) {
    const statement = await readDatasetJson(folder)
    if (statement.stated) return statement
  }
  return SILENT
}
