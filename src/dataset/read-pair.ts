import { basename, join } from 'node:path'
import { InputError } from '../errors.ts'
import { parseName } from '../formats/file.ts'
import { mapInto } from '../formats/map-into.ts'
import type { NiftiHeader } from '../formats/nifti-header.ts'
import type { Volume } from '../formats/nifti.ts'
import { readPages } from '../formats/pages/read-pages.ts'
import { joined } from '../formats/picture-stack.ts'
import type { Picture } from '../formats/picture.ts'
import { readVolume } from '../formats/volume.ts'
import {
  valuesIn,
  valuesOf,
  withShown,
  type CaseOptions,
  type Layer,
  type OpenPicture,
  type OpenVolume,
  type Pixels
} from './channels/layers.ts'
import { openCase } from './channels/open-case.ts'
import { interleaved } from './channels/planes.ts'
import type { Pair } from './layout.ts'
import { encoded, labelsOf, settle, type Labels, type MaskReading } from './masks/labels.ts'
import { placeMask } from './masks/place-mask.ts'
import { subjectBefore, subjectOf, subjectOfVolume, type Whose } from './subject.ts'
import { matchStack } from './transforms/matching.ts'
import { brightness, shownOf, type Shown } from './transforms/normalise.ts'
import { sameGrid } from './transforms/orientation.ts'
import { cutImages, cutLabels, planStack, type Stack } from './transforms/slicing.ts'
import { onWholeGrid } from './transforms/whole-grid.ts'
import type { Slice, VolumeFacts, VoxelGrid } from './types.ts'

export type PairOptions = CaseOptions & MaskReading & {
  /** by default what the name says */
  readonly whose?: Whose
  readonly empty?: boolean
}

/** Whose slices are, by which rule. */
type Naming = Pick<PairOptions, 'whose' | 'asBefore'>

type LabelReading = MaskReading & Pick<PairOptions, 'empty'>

export interface PairSlices {
  readonly slices: readonly Slice[]
  readonly volume?: VolumeFacts
  readonly emptySlices: number
  /** what had to be decided, each in a sentence without a name */
  readonly notes: readonly string[]
  /** of each of the channels asked for, or of the one that is read */
  readonly shown: readonly Shown[]
  /** channels that the image has */
  readonly found: readonly number[]
  /** channels in a file of several that are not read */
  readonly ignoredChannels: number
  readonly twoPlaces: boolean
}

const PART = 'segments stored for a part of the image: what lies beyond is background'
export const NO_FOREGROUND = 'the mask has no foreground anywhere'

/**
 * Reads an image with its mask: one slice, or those slices of a volume that show foreground, all where `empty`. @throws InputError whose
 * message is a reason without a file name
 */
export async function readPair (root: string, { stem, image, channels, mask, whose }: Pair, given: PairOptions): Promise<PairSlices> {
  const options = whose == null ? given : { ...given, whose }
  const files = channels == null ? undefined : new Map([...channels].map(([channel, file]) => [channel, join(root, file)]))
  const opened = await openCase({ image: join(root, image), files }, options)
  const pair = { stem, mask: join(root, mask) }
  if (opened.kind === 'picture') return await picturePair(opened, pair, options)
  const { header } = opened.layers[0]!.source
  const labels = async (): Promise<LabelVolume> => await about('mask', () => readLabelVolume(pair.mask, header, options))
  return await volumePair(opened, { stem, labels }, options)
}

type Truth = Pick<Pair, 'stem' | 'mask'>

/** A picture with labels of its size from a file. @throws InputError whose message is a reason without a file name */
export async function picturePair (picture: OpenPicture, { stem, mask }: Truth, options: PairOptions): Promise<PairSlices> {
  const labels = await readPictureLabels(mask, picture, options)
  const { layers, shown } = withShown(picture.layers, valuesIn)
  return {
    slices: [pictureSlice(stem, { ...picture, layers }, labels.data, options)],
    emptySlices: 0,
    notes: [...picture.notes, ...labels.notes],
    shown,
    found: picture.found,
    ignoredChannels: picture.ignored,
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

/** An 8-bit slice of a decoded picture. @throws InputError when all values of one of its channels are alike */
export function pictureSlice (stem: string, { height, width, layers }: OpenPicture, mask: Uint8Array, naming: Naming): Slice {
  const { subject, index } = naming.whose ?? (naming.asBefore === true ? subjectBefore : subjectOf)(basename(stem))
  const shown = layers.map((layer) => ({ channels: layer.source.channels, image: brightPixels(layer) }))
  return { id: stem, subject, index, height, width, ...shown.length === 1 ? shown[0]! : interleaved(shown.map(({ image }) => image)), mask }
}

function brightPixels ({ source, whole, how }: Layer<Pixels>): Uint8Array {
  const values = whole ?? valuesIn(source)
  const shown = how.shown ?? shownOf(values, how)
  if (shown.how === 'as-stored' && source.data instanceof Uint8Array) return source.data
  const show = brightness(values, { ...how, shown })
  const bright = new Uint8Array(source.data.length)
  // A third of the time that Uint8Array.from takes.
  for (let i = 0; i < bright.length; i++) bright[i] = show(source.data[i]!)
  return bright
}

/** A volume with labels on its grid, or on another that fits it. @throws InputError whose message is a reason without a file name */
export async function volumePair (
  volume: OpenVolume,
  { stem, labels }: { readonly stem: string, readonly labels: () => LabelVolume | Promise<LabelVolume> },
  options: PairOptions
): Promise<PairSlices> {
  const { header } = volume.layers[0]!.source
  const stack = planStack({ header }, options.axis)
  const { masks, notes } = cutOf(await labels(), { header, stack }, options)
  const { twoPlaces = false } = header
  const { layers, shown } = withShown(volume.layers, valuesOf)
  const slices = volumeSlices(stem, { ...volume, layers }, stack, masks, options)
  const isShown = options.book?.isForeground ?? isMarked
  const kept = slices.filter((slice) => options.empty === true || slice.mask.some(isShown))
  const emptySlices = slices.length - kept.length
  return {
    // Nothing says how large a pixel of a page is, or how far apart pages lie: scores are in pixels.
    slices: volume.pages ? kept.map(({ voxels: _voxels, ...slice }) => slice) : kept,
    volume: factsOf(stack),
    emptySlices,
    notes,
    shown,
    found: volume.found,
    ignoredChannels: volume.ignored,
    twoPlaces
  }
}

/** The labels of every slice of a volume, in the order of its stack. @throws InputError whose message is a reason without a file name */
export async function readVolumeLabels (
  file: string,
  grid: Grid,
  reading: LabelReading = {}
): Promise<CutLabels> {
  return cutOf(await about('mask', () => readLabelVolume(file, grid.header, reading)), grid, reading)
}

interface Grid { readonly header: NiftiHeader, readonly stack: Stack }

interface CutLabels { readonly masks: Uint8Array[], readonly notes: readonly string[] }

/** Labels as bytes with their header, and what had to be decided. */
export interface LabelVolume { readonly volume: Volume, readonly notes: readonly string[] }

function cutOf ({ volume, notes }: LabelVolume, { header, stack }: Grid, reading: LabelReading): CutLabels {
  const masks = cutLabels(volume, matchStack({ header, stack }, volume.header))
  checkLabels(masks, reading)
  return { masks, notes }
}

/** A label volume, or the pages of a picture file as one. @throws InputError whose message is a reason without a file name */
export async function readLabelVolume (
  file: string,
  image: NiftiHeader,
  reading: MaskReading
): Promise<LabelVolume> {
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

function settledVolume ({ header, voxels }: Volume, reading: MaskReading): LabelVolume {
  const { slope, intercept, dims: [width, height, depth] } = header
  const notes: string[] = []
  const isScaled = slope !== 1 || intercept !== 0
  const values = isScaled ? mapInto(voxels, new Float64Array(voxels.length), (stored) => stored * slope + intercept) : voxels
  const whole = values.subarray(0, width * height * depth)
  const labels = encoded(settle(whole, { width, height: height * depth }, notes, reading.exact), reading)
  return { volume: { header: { ...header, slope: 1, intercept: 0 }, voxels: labels }, notes }
}

/** All slices of a volume, 8-bit, with the masks of the same stack. */
export function volumeSlices (stem: string, { layers }: OpenVolume, stack: Stack, masks: readonly Uint8Array[], naming: Naming): Slice[] {
  const { height, width } = stack
  const voxels = gridOf(stack)
  const images = layers.map(({ source, how }) => cutImages(source, stack, how))
  const { subject, index: first } = naming.whose ?? ofVolume(basename(stem), masks.length, naming.asBefore)
  return masks.map((mask, at) => {
    const id = `${stem}#${String(at).padStart(3, '0')}`
    // One slice has its place among its subject's files; those of a volume have theirs within it.
    const index = masks.length === 1 ? first : at
    return { id, subject, index, height, width, ...interleaved(images.map((each) => each[at]!)), mask, voxels }
  })
}

/** A single slice in a file of its own is like a picture. */
function ofVolume (stem: string, slices: number, asBefore = false): Whose {
  if (asBefore) return { subject: stem, index: 0 }
  return slices === 1 ? subjectOf(stem) : { subject: subjectOfVolume(stem), index: 0 }
}

export function factsOf ({ cut }: Stack): VolumeFacts {
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
export function isMarked (value: number): boolean {
  return value > 0
}

async function about<T> (part: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof InputError ? new InputError(`its ${part}: ${error.message}`) : error
  }
}
