import { join, relative } from 'node:path'
import { InputError } from '../errors.ts'
import { isPlaced } from '../formats/dicom/read-stack.ts'
import type { AnyListing } from './dicom/list-all.ts'
import { openPictures, openStack, type DicomOptions } from './dicom/read-dicom-pair.ts'
import { LabelBook } from './labels/label-book.ts'
import { labelRules } from './labels/label-rules.ts'
import { settleLabels } from './labels/settle-labels.ts'
import { withClasses } from './kept-slice.ts'
import { PaletteBook } from './masks/palette-book.ts'
import { picturePair, readLabelVolume, readPair, volumePair, type PairSlices } from './read-pair.ts'
import type { LoadOptions, Problem, Slice } from './types.ts'

type Labelled = AnyListing['pairs'][number]
type Bare = AnyListing['unlabelled'][number]

/** An image of a data folder, labelled there or not. */
export type DataImage = Labelled | Bare

interface Redrawn { readonly image: DataImage, readonly file: string }

interface Parted extends Pick<AnyListing, 'pairs' | 'problems'> {
  readonly redrawn: readonly Redrawn[]
}

interface Reading {
  readonly read: readonly PairSlices[]
  readonly slices: readonly Slice[]
  readonly classes: number
  readonly problems: readonly Problem[]
}

/** Images whose labels a correction replaces, or that it alone labels, apart from the others. */
export function partCorrected (
  { pairs, unlabelled, problems }: Pick<AnyListing, 'pairs' | 'unlabelled' | 'problems'>,
  corrected: NonNullable<LoadOptions['corrected']> = new Map()
): Parted {
  const redrawn = [...pairs, ...unlabelled].flatMap((image) => {
    const file = corrected.get(image.stem)
    return file == null ? [] : [{ image, file }]
  })
  const settled = new Set(redrawn.flatMap(({ image }) => 'problem' in image ? [image.problem] : []))
  return {
    pairs: pairs.filter(({ stem }) => !corrected.has(stem)),
    redrawn,
    problems: problems.filter((problem) => !settled.has(problem))
  }
}

/**
 * Corrected images with their labels, which have the federation's own values whatever the folder's have. Slices on which nothing is drawn
 * were not corrected: they are left out.
 */
export async function readRedrawn (
  root: string,
  redrawn: readonly Redrawn[],
  { labels, ...given }: LoadOptions,
  { said, small }: { readonly said: DicomOptions['said'], readonly small: (read: PairSlices) => PairSlices }
): Promise<Reading> {
  const rules = labelRules(undefined, labels)
  const book = new LabelBook(rules.rule, labels?.values.length)
  const options = { ...given, labels, said, book, colours: undefined, palettes: new PaletteBook(), empty: false }
  const read: PairSlices[] = []
  const problems: Problem[] = []
  for (const { image, file } of redrawn) {
    given.signal?.throwIfAborted()
    try {
      read.push(small(await readOne(root, image, file, options)))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push({ file: image.image, reason: `its correction cannot be used: ${error.message}` })
    }
  }
  const settled = settleLabels(read.flatMap(({ slices }) => slices), book, rules, labels)
  return { read, problems, classes: settled.classes, slices: settled.slices.map((slice) => withClasses(slice, { corrected: true })) }
}

async function readOne (root: string, image: DataImage, file: string, given: Omit<DicomOptions, 'segments'>): Promise<PairSlices> {
  if (!('stack' in image)) return await readPair(root, { ...image, mask: relative(root, file) }, given)
  const { stack, stem, whose } = image
  const options = { ...given, whose }
  if (isPlaced(stack)) {
    const { volume, notes } = await openStack(stack, options)
    const { header } = volume.layers[0]!.source
    const pair = await volumePair(volume, { stem, labels: async () => await readLabelVolume(file, header, options) }, options)
    return { ...pair, notes: [...notes, ...pair.notes] }
  }
  if (stack.frames.length > 1) throw new InputError('the series gives its images no places in space')
  const { value: picture } = await openPictures(stack, options).next()
  return await picturePair(picture!, { stem, mask: join(root, relative(root, file)) }, options)
}
