import { basename } from 'node:path'
import { InputError } from '../errors.ts'
import type { CaseOptions } from './channels/layers.ts'
import { listAll, type AnyListing } from './dicom/list-all.ts'
import { readOne } from './read-one.ts'
import type { DataImage } from './redrawn.ts'
import { subjectBefore, subjectOf, subjectOfVolume } from './subject.ts'
import type { LoadOptions } from './types.ts'

/** The images of a data folder but for those of subjects who were withdrawn. @throws InputError when it has no known layout */
export async function listUsed (root: string, options: LoadOptions): Promise<AnyListing> {
  const { withdrawn } = options
  const listing = await listAll(root, options)
  if (withdrawn == null) return listing
  const left = new Set<DataImage>()
  const reading = { ...options, said: listing.statement }
  for (const image of imagesOf(listing)) if (await isImageOf(root, image, withdrawn, reading)) left.add(image)
  const gone = listing.unlabelled.filter((each) => left.has(each)).map(({ problem }) => problem)
  return {
    ...listing,
    pairs: listing.pairs.filter((each) => !left.has(each)),
    unlabelled: listing.unlabelled.filter((each) => !left.has(each)),
    problems: listing.problems.filter((problem) => !gone.includes(problem))
  }
}

/** All that lies in a data folder of the subjects of whom `is` holds. @throws InputError when it has no known layout */
export async function listImagesOf (root: string, is: (subject: string) => boolean, options: LoadOptions): Promise<DataImage[]> {
  const listing = await listAll(root, options)
  const reading = { ...options, said: listing.statement }
  const found: DataImage[] = []
  for (const image of imagesOf(listing)) if (await isImageOf(root, image, is, reading)) found.push(image)
  return found
}

function imagesOf ({ pairs, unlabelled }: AnyListing): DataImage[] {
  return [...pairs, ...unlabelled]
}

/** Where the name leaves open whose an image is, its number of slices says it; one that cannot be read counts as each of them. */
async function isImageOf (root: string, image: DataImage, is: (subject: string) => boolean, options: CaseOptions): Promise<boolean> {
  const subjects = subjectsBy(image, options)
  if (!subjects.some(is)) return false
  if (subjects.every(is)) return true
  try {
    const { slices } = await readOne(root, image, options)
    return slices.some(({ subject }) => is(subject))
  } catch (error) {
    if (error instanceof InputError) return true
    throw error
  }
}

/** Whose an image may be, by what is known before it is read: a file of one slice is named as a picture is, one of several as a volume. */
function subjectsBy ({ stem, whose }: DataImage, { asBefore = false }: CaseOptions): string[] {
  const name = basename(stem)
  if (whose != null) return [whose.subject]
  return asBefore ? [subjectBefore(name).subject, name] : [subjectOf(name).subject, subjectOfVolume(name)]
}
