import { parseJson } from '../common/parse-json.ts'
import { parseName, readCapped } from '../formats/file.ts'
import type { Modality } from './transforms/normalise.ts'

const MOST_BYTES = 2 ** 20

/** What the JSON file beside a volume says that dcm2niix writes (BIDS), if there is one: it comes from the DICOM header. */
export async function readSidecar (file: string): Promise<Modality> {
  const { ending } = parseName(file)
  const bytes = await readCapped(`${file.slice(0, file.length - ending.length)}.json`, MOST_BYTES).catch(() => undefined)
  const { Modality: modality } = (parseJson(bytes?.toString('utf8') ?? '') ?? {}) as { Modality?: unknown }
  if (typeof modality !== 'string') return 'unknown'
  return modality.toUpperCase() === 'CT' ? 'ct' : 'other'
}
