import { InputError } from '../errors.ts'
import { readBareImage } from './bare-image.ts'
import { planesShown, type ShownPlane } from './channels/facts.ts'
import { listAll } from './dicom/list-all.ts'
import { keepSmall } from './kept-slice.ts'
import { modalitiesOf, requireUsableDataset } from './load.ts'
import type { Dataset, LoadOptions, Problem, Slice } from './types.ts'

/** The images of a data folder without their labels, their masks all 0. */
export type Images = Pick<Dataset, 'slices' | 'problems' | 'modality' | 'modalities'>

/** Reads what images a data folder has, with masks or without. @throws InputError when nothing in it can be used */
export async function loadImages (path: string, options: LoadOptions = {}): Promise<Images> {
  const { pairs, unlabelled, problems: listed, statement: said } = await listAll(path, { ...options, withoutLabels: true })
  const settled = new Set(unlabelled.map(({ problem }) => problem))
  const problems: Problem[] = listed.filter((problem) => !settled.has(problem))
  const slices: Slice[] = []
  const shown: ShownPlane[] = []
  for (const [at, image] of [...pairs, ...unlabelled].entries()) {
    options.signal?.throwIfAborted()
    try {
      const read = await readBareImage(path, image, { ...options, said })
      slices.push(...read.slices.map((slice) => options.sides == null ? slice : keepSmall(slice, options.sides)))
      shown.push(...planesShown(read.shown, at, options.channels))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push({ file: image.image, reason: error.message })
    }
  }
  return requireUsableDataset({ slices, problems, ...modalitiesOf(shown, options.channels) }, path)
}
