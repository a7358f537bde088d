import { dirname } from 'node:path'
import { InputError } from '../../errors.ts'
import { listPairs, type Listing, type Pair, type Unlabelled } from '../layout.ts'
import { SILENT } from '../names/dataset-json.ts'
import type { DicomFacts, LoadOptions } from '../types.ts'
import { listDicom, type BareSeries, type DicomPair } from './list-dicom.ts'

export type AnyListing = Omit<Listing, 'pairs' | 'unlabelled'> & {
  readonly pairs: ReadonlyArray<Pair | DicomPair>
  readonly unlabelled: ReadonlyArray<Unlabelled | BareSeries>
  readonly dicom?: DicomFacts
}

const NONE: Listing = {
  layout: 'dicom', pairs: [], unlabelled: [], problems: [], statement: SILENT, ignoredChannels: 0, byLikeName: 0
}

/**
 * The pairs of a data folder: files of images and masks, and DICOM series with their segmentations. @throws InputError when the folder
 * has neither
 */
export async function listAll (root: string, { channels, patientKey, signal, ...labels }: LoadOptions): Promise<AnyListing> {
  const dicom = await listDicom(root, { patientKey, signal })
  if (dicom == null) return await listPairs(root, channels, labels)
  const files = await listPairs(root, channels, labels).catch((error: unknown) => {
    if (error instanceof InputError) return NONE
    throw error
  })
  const covered = withFolders(dicom.files)
  const own = files.problems.filter(({ file }) => !covered.has(file))
  return {
    ...files,
    pairs: [...files.pairs, ...dicom.pairs],
    unlabelled: [...files.unlabelled, ...dicom.unlabelled],
    problems: [...own, ...dicom.problems],
    dicom: dicom.facts
  }
}

/** Files, and the folders that hold them: one that is too deep for other formats is none for DICOM. */
function withFolders (files: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set(files)
  for (const file of files) for (let at = dirname(file); at !== '.' && !all.has(at); at = dirname(at)) all.add(at)
  return all
}
