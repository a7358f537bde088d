import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { isPlaced } from '../formats/dicom/read-stack.ts'
import { planesShown, type ShownPlane } from './channels/facts.ts'
import { valuesIn, valuesOf, withShown, type CaseOptions, type OpenPicture, type OpenVolume } from './channels/layers.ts'
import { openCase } from './channels/open-case.ts'
import { listAll } from './dicom/list-all.ts'
import { openPictures, openStack } from './dicom/read-dicom-pair.ts'
import { keepSmall } from './kept-slice.ts'
import { modalitiesOf, requireUsableDataset } from './load.ts'
import { onePicture, oneVolume } from './read-image.ts'
import type { DataImage } from './redrawn.ts'
import type { Shown } from './transforms/normalise.ts'
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
      const read = await readOne(path, image, { ...options, said })
      slices.push(...read.slices.map((slice) => options.sides == null ? slice : keepSmall(slice, options.sides)))
      shown.push(...planesShown(read.shown, at, options.channels))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push({ file: image.image, reason: error.message })
    }
  }
  return requireUsableDataset({ slices, problems, ...modalitiesOf(shown, options.channels) }, path)
}

interface Read { readonly slices: readonly Slice[], readonly shown: readonly Shown[] }

async function readOne (root: string, image: DataImage, given: CaseOptions): Promise<Read> {
  const { stem, whose } = image
  const options = { ...given, ...whose == null ? {} : { whose } }
  if (!('stack' in image)) {
    const files = image.channels == null ? undefined : new Map([...image.channels].map(([channel, file]) => [channel, join(root, file)]))
    return slicesOf(await openCase({ image: join(root, image.image), files }, options), stem, options)
  }
  if (isPlaced(image.stack)) return slicesOf((await openStack(image.stack, options)).volume, stem, options)
  const pictures: Read[] = []
  for await (const picture of openPictures(image.stack, options)) {
    pictures.push(slicesOf(picture, `${stem}#${String(pictures.length).padStart(3, '0')}`, options))
  }
  return { slices: pictures.flatMap(({ slices }) => slices), shown: pictures[0]?.shown ?? [] }
}

function slicesOf (opened: OpenPicture | OpenVolume, stem: string, options: CaseOptions): Read {
  if (opened.kind === 'picture') {
    const { layers, shown } = withShown(opened.layers, valuesIn)
    return { slices: onePicture({ ...opened, layers }, stem, options).slices, shown }
  }
  const { layers, shown } = withShown(opened.layers, valuesOf)
  return { slices: oneVolume({ ...opened, layers }, stem, options).slices, shown }
}
