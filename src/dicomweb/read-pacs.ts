import { InputError } from '../errors.ts'
import { readInstance, type Instance } from '../formats/dicom/instance.ts'
import { OWN_MAKER } from '../formats/dicom/write-seg.ts'
import { queriesOf, type PacsAddress } from './address.ts'
import type { PacsClient, PacsSeries } from './client.ts'
import type { PacsFolder } from './pacs-cache.ts'

/** What was found in a PACS. */
export interface PacsRead {
  /** where its files lie now */
  readonly folder: string
  readonly studies: number
  /** studies of which nothing was read: nobody segmented them */
  readonly unlabelled: number
}

interface Source {
  readonly client: Pick<PacsClient, 'studies' | 'series' | 'instances' | 'file'>
  readonly folder: PacsFolder
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** Instances fetched beside each other. */
const BESIDE = 4
const LABELS = new Set(['SEG', 'RTSTRUCT'])
/** Series that hold no images. */
const OTHERS = new Set(['SR', 'PR', 'KO', 'AU', 'ECG', 'DOC', 'REG', 'FID', 'PLAN', 'RTPLAN', 'RTDOSE', 'RTRECORD', ...LABELS])

/**
 * Fetches segmentations of the studies and the series that they were drawn on, and nothing else. What Consilium predicted is no label.
 * @throws InputError, one sentence without what was asked for
 */
export async function readLabelled (address: PacsAddress, source: Source): Promise<PacsRead> {
  const studies = new Set<string>()
  for (const query of queriesOf(address)) for (const study of await source.client.studies(query)) studies.add(study)
  if (studies.size === 0) throw new InputError('the PACS has no study that the address names: check its filter or list')
  let [unlabelled, done] = [0, 0]
  for (const study of studies) {
    source.signal?.throwIfAborted()
    if (!await readStudy(study, address, source)) unlabelled++
    source.onProgress?.(++done, studies.size)
  }
  if (unlabelled === studies.size) {
    throw new InputError(
      `none of the ${studies.size} studies that the address of the PACS names has a DICOM SEG or RTSTRUCT to learn from`
    )
  }
  await source.folder.removeOthers()
  return { folder: source.folder.path, studies: studies.size, unlabelled }
}

async function readStudy (study: string, address: PacsAddress, source: Source): Promise<boolean> {
  const all = await source.client.series(study)
  const drawn: string[] = []
  for (const { uid } of all.filter(({ modality }) => LABELS.has(modality))) {
    for (const file of await readSeries(study, uid, source)) {
      const labels = await readIfSound(file)
      if (labels?.maker === OWN_MAKER) source.folder.leaveOut(file)
      else if (labels != null) drawn.push(...labels.refersTo.length > 0 ? labels.refersTo : imagesIn(all).map((each) => each.uid))
    }
  }
  const wanted = imagesIn(all).filter(({ uid }) => drawn.includes(uid) && (address.series ?? uid) === uid)
  for (const { uid } of wanted) await readSeries(study, uid, source)
  return wanted.length > 0
}

/** A file that cannot be read stays in the folder: whoever reads that says so, and the rest goes on. */
async function readIfSound (file: string): Promise<Instance | undefined> {
  return await readInstance(file).catch((error: unknown) => {
    if (error instanceof InputError) return undefined
    throw error
  })
}

/** Fetches one series of images. @throws InputError where the address names none, or several */
export async function readOneSeries ({ study, series }: PacsAddress, source: Source): Promise<{ folder: string, study: string }> {
  if (study == null) throw new InputError('the address of the PACS names no study: put /studies/UID, or /studies/UID/series/UID, behind it')
  const found = imagesIn(await source.client.series(study)).filter(({ uid }) => (series ?? uid) === uid)
  if (found.length === 0) throw new InputError('the PACS has no images of the study or series that the address names')
  if (found.length > 1) throw new InputError(`the study has ${found.length} series of images: put /series/UID of one behind it`)
  await readSeries(study, found[0]!.uid, source)
  await source.folder.removeOthers()
  return { folder: source.folder.path, study }
}

function imagesIn (series: readonly PacsSeries[]): PacsSeries[] {
  return series.filter(({ modality }) => !OTHERS.has(modality))
}

async function readSeries (study: string, series: string, { client, folder, signal }: Source): Promise<string[]> {
  const instances = await client.instances(study, series)
  const files: string[] = []
  for (let at = 0; at < instances.length; at += BESIDE) {
    signal?.throwIfAborted()
    files.push(...await Promise.all(instances.slice(at, at + BESIDE).map(async (sop) =>
      await folder.keep(sop, async () => await client.file(study, series, sop)))))
  }
  return files
}
