import { join } from 'node:path'
import { parseJson } from '../common/parse-json.ts'
import { labelMapOf, type Dataset, type ReadOptions } from '../dataset/index.ts'
import { CorruptFileError, InputError } from '../errors.ts'
import { readChecked, writeCheckedJson } from '../home/checksum.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import type { OneWindow, WindowSetting } from '../settings/model.ts'
import { patientKey } from './patient-key.ts'

const NAME = 'shown.json'

/** What of a federation's document says how images and masks are read. */
interface Readable {
  readonly model: Pick<FederationSettings['model'], 'channels' | 'window'>
  readonly labels?: FederationSettings['labels']
}

/** How a federation's document has images and masks read. */
export function readingOf ({ model: { channels, window }, labels }: Readable, axis: ReadOptions['axis']): ReadOptions {
  return {
    ...axis == null ? {} : { axis },
    ...window == null ? { asBefore: true } : windowOf(window),
    ...channels == null ? {} : { channels },
    ...labels == null ? {} : { labels: labelMapOf(labels) }
  }
}

function windowOf (window: WindowSetting): Pick<ReadOptions, 'window' | 'windows'> {
  if (Array.isArray(window)) return { windows: window.map(oneWindow) }
  const one = oneWindow(window)
  return one == null ? {} : { window: one }
}

function oneWindow (window: OneWindow): ReadOptions['window'] {
  if (window === 'auto') return undefined
  return 'centre' in window ? { center: window.centre, width: window.width } : window
}

/** The same, but what training found its images to be holds for every image after: the model has seen no other. */
export async function readingAsTrained (
  document: Readable,
  axis: ReadOptions['axis'],
  privateStore: string
): Promise<ReadOptions> {
  const { modality, modalities } = await readKept(join(privateStore, NAME)) as { modality?: unknown, modalities?: unknown }
  return {
    ...readingOf(document, axis),
    patientKey: patientKey(privateStore),
    ...isModality(modality) ? { modality } : {},
    ...Array.isArray(modalities) ? { modalities: modalities.map((each) => isModality(each) ? each : undefined) } : {}
  }
}

async function readKept (path: string): Promise<unknown> {
  const text = await readChecked(path).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return ''
    throw error
  })
  const kept = text == null ? {} : parseJson(text)
  if (kept == null) throw new InputError(`${path} is damaged: remove it, and how images are read is found out anew`)
  return kept
}

/** Keeps with the model what it was trained on, CT or not; nothing where the images are mixed, or 8-bit pictures alone. */
export async function keepReading (
  privateStore: string,
  { modality, modalities }: Pick<Dataset, 'modality' | 'modalities'>
): Promise<void> {
  const each = modalities?.map((one) => one ?? 'unknown')
  await writeCheckedJson(join(privateStore, NAME), { modality: modality ?? 'unknown', ...each == null ? {} : { modalities: each } })
}

function isModality (value: unknown): value is 'ct' | 'other' {
  return value === 'ct' || value === 'other'
}
