import { basename, join } from 'node:path'
import { InputError } from '../errors.ts'
import type { Pair } from './layout.ts'
import { parseName } from './readers/file.ts'
import { encoded, labelsOf, settle, type Labels, type MaskReading } from './readers/masks/labels.ts'
import { placeMask } from './readers/masks/place-mask.ts'
import type { NiftiHeader } from './readers/nifti-header.ts'
import type { Volume } from './readers/nifti.ts'
import { readPages } from './readers/pages/read-pages.ts'
import { joined, stackOf } from './readers/picture-stack.ts'
import { pictureOf, type Picture } from './readers/picture.ts'
import { readSidecar } from './readers/sidecar.ts'
import { readVolume } from './readers/volume.ts'
import { subjectBefore, subjectOf, subjectOfVolume, type Whose } from './subject.ts'
import { matchStack } from './transforms/matching.ts'
import { brightness, shownOf, type Modality, type Shown } from './transforms/normalise.ts'
import { sameGrid } from './transforms/orientation.ts'
import { cutImages, cutLabels, planStack, type Stack } from './transforms/slicing.ts'
import { onWholeGrid } from './transforms/whole-grid.ts'
import type { ReadOptions, Slice, VolumeFacts, VoxelGrid } from './types.ts'

export interface PairOptions extends ReadOptions, MaskReading {
  readonly modality: Modality
  /** of an image, as dataset.json has them */
  readonly channels?: number
  readonly shown?: Shown
  /** by default what the name says */
  readonly whose?: Whose
  readonly empty?: boolean
}

type LabelReading = MaskReading & Pick<PairOptions, 'empty'>

export interface PairSlices {
  readonly slices: readonly Slice[]
  readonly volume?: VolumeFacts
  readonly emptySlices: number
  /** what had to be decided, each in a sentence without a name */
  readonly notes: readonly string[]
  readonly shown: Shown
  readonly ignoredChannels: number
  readonly twoPlaces: boolean
}

const PART = 'segments stored for a part of the image: what lies beyond is background'
export const NO_FOREGROUND = 'the mask has no foreground anywhere'

/**
 * Reads an image with its mask: one slice, or those slices of a volume that show foreground, all where `empty`. @throws InputError whose
 * message is a reason without a file name
 */
export async function readPair (root: string, pair: Pair, options: PairOptions): Promise<PairSlices> {
  return pair.kind === 'picture' ? await readPicturePair(root, pair, options) : await readVolumePair(root, pair, options)
}

async function readPicturePair (root: string, { stem, image, mask, whose }: Pair, given: PairOptions): Promise<PairSlices> {
  const options = whose == null ? given : { ...given, whose }
  const pages = await readPages(join(root, image))
  if (pages.length > 1) {
    const { slices, ...found } = await volumePair(stackOf(pages), { stem, mask: join(root, mask) }, options)
    // Nothing says how large a pixel of a page is, or how far apart pages lie: scores are in pixels.
    return { ...found, slices: slices.map(({ voxels: _voxels, ...slice }) => slice) }
  }
  const picture = pictureOf(pages[0]!)
  const labels = await readPictureLabels(join(root, mask), picture, options)
  const shown = shownOf({ stored: picture.data, slope: 1, intercept: 0 }, options)
  return {
    slices: [pictureSlice(stem, picture, labels.data, { ...options, shown })],
    emptySlices: 0,
    notes: [...picture.notes, ...labels.notes],
    shown,
    ignoredChannels: 0,
    twoPlaces: false
  }
}

/** height·width labels for an image of this size. @throws InputError whose message is a reason without a file name */
export async function readPictureLabels (
  file: string,
  image: Pick<Picture, 'height' | 'width' | 'orientation'>,
  reading: LabelReading = {}
): Promise<Labels> {
  const [page, ...further] = await about('mask', () => readPages(file))
  if (further.length > 0) throw new InputError(`the mask has ${further.length + 1} pages, the image one: store one file per slice`)
  const labels = labelsOf(page!, reading)
  const { data, notes } = placeMask({ data: labels.data, height: page!.height, width: page!.width }, page!.orientation, image)
  checkLabels([data], reading)
  return { data, notes: [...labels.notes, ...notes] }
}

/** An 8-bit slice of a decoded picture. @throws InputError when all its values are alike */
export function pictureSlice (
  stem: string,
  { height, width, channels, data }: Picture,
  mask: Uint8Array,
  options: Partial<PairOptions>
): Slice {
  const show = brightness({ stored: data, slope: 1, intercept: 0 }, options)
  const bright = new Uint8Array(data.length)
  // A third of the time that Uint8Array.from takes.
  for (let i = 0; i < bright.length; i++) bright[i] = show(data[i]!)
  const { subject, index } = options.whose ?? (options.asBefore === true ? subjectBefore : subjectOf)(basename(stem))
  return { id: stem, subject, index, height, width, channels, image: bright, mask }
}

async function readVolumePair (root: string, { stem, image, mask, whose }: Pair, options: PairOptions): Promise<PairSlices> {
  const volume = await readVolume(join(root, image), options.channels)
  const modality = await modalityOf(join(root, image), volume, options)
  return await volumePair(volume, { stem, mask: join(root, mask) }, { ...options, modality, ...whose == null ? {} : { whose } })
}

/** What is known of an image, or what the file beside it says that dcm2niix wrote, or its own header. */
export async function modalityOf (
  file: string,
  volume: Volume,
  { modality = 'unknown', asBefore = false }: Pick<ReadOptions, 'modality' | 'asBefore'>
): Promise<Modality> {
  if (modality !== 'unknown') return modality
  const beside = await readSidecar(file)
  return beside === 'unknown' && !asBefore ? volume.modality ?? 'unknown' : beside
}

async function volumePair (
  volume: Volume,
  { stem, mask }: { readonly stem: string, readonly mask: string },
  options: PairOptions
): Promise<PairSlices> {
  const stack = planStack(volume, options.axis)
  const { masks, notes } = await readVolumeLabels(mask, { header: volume.header, stack }, options)
  const { slope, intercept, channels = 1, twoPlaces = false } = volume.header
  const shown = shownOf({ stored: volume.voxels, slope, intercept }, options)
  const slices = volumeSlices(stem, volume, stack, masks, { ...options, shown })
  const isShown = options.book?.isForeground ?? isMarked
  const kept = slices.filter((slice) => options.empty === true || slice.mask.some(isShown))
  const emptySlices = slices.length - kept.length
  return { slices: kept, volume: factsOf(stack), emptySlices, notes, shown, ignoredChannels: channels - 1, twoPlaces }
}

/** The labels of every slice of a volume, in the order of its stack. @throws InputError whose message is a reason without a file name */
export async function readVolumeLabels (
  file: string,
  { header, stack }: { readonly header: NiftiHeader, readonly stack: Stack },
  reading: LabelReading = {}
): Promise<{ masks: Uint8Array[], notes: readonly string[] }> {
  const { volume, notes } = await about('mask', () => readLabelVolume(file, header, reading))
  const masks = cutLabels(volume, matchStack({ header, stack }, volume.header))
  checkLabels(masks, reading)
  return { masks, notes }
}

/** A label volume, or the pages of a picture file as one. */
async function readLabelVolume (
  file: string,
  image: NiftiHeader,
  reading: MaskReading
): Promise<{ volume: Volume, notes: readonly string[] }> {
  if (parseName(file).kind !== 'picture') {
    const stored = await readVolume(file)
    const isPart = stored.segments === true && !sameGrid(image, stored.header)
    const whole = isPart ? onWholeGrid(stored, image) : undefined
    const { volume, notes } = settledVolume(whole ?? stored, reading)
    return { volume, notes: whole == null ? notes : [...notes, PART] }
  }
  const pages = await readPages(file)
  if (pages.length === 1) throw new InputError('it is not a volume, but the image is: use NIfTI, or as many pages as the image has')
  const labels = pages.map((page) => labelsOf(page, reading))
  return { volume: joined(pages, labels.map(({ data }) => data)), notes: [...new Set(labels.flatMap(({ notes }) => notes))] }
}

function settledVolume ({ header, voxels }: Volume, reading: MaskReading): { volume: Volume, notes: readonly string[] } {
  const { slope, intercept, dims: [width, height, depth] } = header
  const notes: string[] = []
  const values = slope === 1 && intercept === 0 ? voxels : Float64Array.from(voxels as Float32Array, (stored) => stored * slope + intercept)
  const labels = encoded(settle(values.subarray(0, width * height * depth), { width, height: height * depth }, notes), reading)
  return { volume: { header: { ...header, slope: 1, intercept: 0 }, voxels: labels }, notes }
}

/** All slices of a volume, 8-bit, with the masks of the same stack. */
export function volumeSlices (
  stem: string,
  volume: Volume,
  stack: Stack,
  masks: readonly Uint8Array[],
  options: Partial<PairOptions>
): Slice[] {
  const { height, width } = stack
  const voxels = gridOf(stack)
  const images = cutImages(volume, stack, options)
  const { subject, index: first } = options.whose ?? ofVolume(basename(stem), images.length, options.asBefore)
  return images.map((image, at) => {
    const id = `${stem}#${String(at).padStart(3, '0')}`
    // One slice has its place among its subject's files; those of a volume have theirs within it.
    const index = images.length === 1 ? first : at
    return { id, subject, index, height, width, channels: 1, image, mask: masks[at]!, voxels }
  })
}

/** A single slice in a file of its own is like a picture. */
function ofVolume (stem: string, slices: number, asBefore = false): Whose {
  if (asBefore) return { subject: stem, index: 0 }
  return slices === 1 ? subjectOf(stem) : { subject: subjectOfVolume(stem), index: 0 }
}

function factsOf ({ cut }: Stack): VolumeFacts {
  const { axis, slices, rows, columns, obliqueDegrees } = cut
  return { axis, slices: slices.count, spacing: [rows.spacing, columns.spacing, slices.spacing], obliqueDegrees }
}

function gridOf ({ cut: { axis, slices, rows, columns } }: Stack): VoxelGrid {
  return { axis, height: rows.count, width: columns.count, spacing: [slices.spacing, rows.spacing, columns.spacing] }
}

function checkLabels (masks: readonly Uint8Array[], { book, empty = false }: LabelReading): void {
  if (!empty && !masks.some((mask) => mask.some(book?.isForeground ?? isMarked))) throw new InputError(NO_FOREGROUND)
}

/** Where nothing says what a value is. */
function isMarked (value: number): boolean {
  return value > 0
}

async function about<T> (part: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof InputError ? new InputError(`its ${part}: ${error.message}`) : error
  }
}
