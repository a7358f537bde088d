import { join } from 'node:path'
import { parseJson } from '../common/parse-json.ts'
import type { Dataset, ReadOptions } from '../dataset/index.ts'
import { readIfThere, writeJson } from '../home/files.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import type { WindowSetting } from '../settings/model.ts'

const NAME = 'shown.json'

/** How a federation's document has images read. */
export function readingOf ({ window }: FederationSettings['model'], axis: ReadOptions['axis']): ReadOptions {
  return { ...axis == null ? {} : { axis }, ...window == null ? { asBefore: true } : windowOf(window) }
}

function windowOf (window: WindowSetting): Pick<ReadOptions, 'window'> {
  if (window === 'auto') return {}
  return { window: 'centre' in window ? { center: window.centre, width: window.width } : window }
}

/** The same, but what training found its images to be holds for every image after: the model has seen no other. */
export async function readingAsTrained (
  model: FederationSettings['model'],
  axis: ReadOptions['axis'],
  privateStore: string
): Promise<ReadOptions> {
  const bytes = await readIfThere(join(privateStore, NAME))
  const { modality } = (parseJson(bytes?.toString('utf8') ?? '') ?? {}) as { modality?: unknown }
  return { ...readingOf(model, axis), ...modality === 'ct' || modality === 'other' ? { modality } : {} }
}

/** Keeps with the model what it was trained on, CT or not; nothing where the images are mixed, or 8-bit pictures alone. */
export async function keepReading (privateStore: string, { modality }: Dataset): Promise<void> {
  await writeJson(join(privateStore, NAME), { modality: modality ?? 'unknown' })
}
