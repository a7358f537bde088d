import { resolve } from 'node:path'
import { loadDataset, splitSlices } from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import { unlabelled, withLabelling, type Labelling } from '../../../src/experiment/annotator.ts'
import type { Hospital } from './hospitals.ts'
import type { MoreOptions } from './more-images.ts'
import { writeMarked } from './write-apart.ts'

/**
 * A data folder in `folder` for a hospital whose training images lack masks, by simulated annotators; of the sample's one subject each
 * image counts as a patient. The same images are held back, with their masks, unless it is to have none at all. @throws InputError when it
 * has too few for a split.
 */
export async function withFewLabels (hospital: Hospital, labelling: Labelling | 'none', { folder, seed }: MoreOptions): Promise<Hospital> {
  const { train, validation } = splitSlices((await loadDataset(hospital.data)).slices, { seed })
  if (train.length === 0 || validation.length === 0) {
    throw new InputError(`${hospital.data} has too few images to split into training and validation: add images, or leave --labels out`)
  }
  const data = resolve(folder, hospital.name)
  if (labelling === 'none') {
    await writeMarked(data, { training: train.map(unlabelled), heldOut: [] })
    return { ...hospital, data }
  }
  const patients = train.map((slice) => ({ ...slice, subject: slice.id }))
  await writeMarked(data, { training: withLabelling(patients, labelling, { site: hospital.index, seed }), heldOut: validation })
  return { ...hospital, data }
}
