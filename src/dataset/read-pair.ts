import { basename, join } from 'node:path'
import { InputError } from '../errors.ts'
import type { Pair } from './layout.ts'
import type { NiftiHeader } from './readers/nifti-header.ts'
import { readNifti, type Volume } from './readers/nifti.ts'
import { readPicture, type Picture } from './readers/picture.ts'
import { readSidecar } from './readers/sidecar.ts'
import { subjectBefore, subjectOf, subjectOfVolume, type Whose } from './subject.ts'
import { brightness, shownOf, type Modality, type Shown } from './transforms/normalise.ts'
import { matchStack } from './transforms/matching.ts'
import { cutImages, cutLabels, planStack, type Stack } from './transforms/slicing.ts'
import type { ReadOptions, Slice, VolumeFacts } from './types.ts'

export interface PairOptions extends ReadOptions {
  readonly modality: Modality
  /** of an image, as dataset.json has them */
  readonly channels?: number
  readonly shown?: Shown
  /** by default what the name says */
  readonly whose?: Whose
}

export interface PairSlices {
  readonly slices: readonly Slice[]
  readonly volume?: VolumeFacts
  readonly emptySlices: number
  readonly shown: Shown
  readonly ignoredChannels: number
  readonly twoPlaces: boolean
}

/** Blurred or colourful masks have hundreds of values; no anatomy task has. */
const MAX_LABELS = 32
const NO_FOREGROUND = 'the mask has no foreground anywhere'

/**
 * Reads an image with its mask: one slice, or those slices of a volume that show foreground. @throws InputError whose message is a
 * reason without a file name
 */
export async function readPair (root: string, pair: Pair, options: PairOptions): Promise<PairSlices> {
  return pair.kind === 'picture' ? await readPicturePair(root, pair, options) : await readVolumePair(root, pair, options)
}

async function readPicturePair (root: string, { stem, image, mask, whose }: Pair, options: PairOptions): Promise<PairSlices> {
  const picture = await readPicture(join(root, image))
  const shown = shownOf({ stored: picture.data, slope: 1, intercept: 0 }, options)
  const labels = await readPictureLabels(join(root, mask), picture)
  const slice = pictureSlice(stem, picture, labels, { ...options, shown, ...whose == null ? {} : { whose } })
  return { slices: [slice], emptySlices: 0, shown, ignoredChannels: 0, twoPlaces: false }
}

/** height·width labels for an image of this size. @throws InputError whose message is a reason without a file name */
export async function readPictureLabels (
  file: string,
  { height, width }: { readonly height: number, readonly width: number }
): Promise<Uint8Array> {
  if (/\.jpe?g$/i.test(file)) throw new InputError('the mask is a JPEG, which blurs labels: store PNG')
  const labels = await about('mask', () => readPicture(file))
  if (labels.channels !== 1 || !(labels.data instanceof Uint8Array)) {
    throw new InputError('the mask is not a grey 8-bit picture: store one label per pixel')
  }
  if (labels.height !== height || labels.width !== width) {
    throw new InputError(`the mask has ${labels.width}×${labels.height} pixels, the image ${width}×${height}`)
  }
  checkLabels([labels.data])
  return labels.data
}

/** An 8-bit slice of a decoded picture. @throws InputError when all its values are alike */
export function pictureSlice (
  stem: string,
  { height, width, channels, data }: Picture,
  mask: Uint8Array,
  options: Partial<PairOptions>
): Slice {
  const show = brightness({ stored: data, slope: 1, intercept: 0 }, options)
  const { subject, index } = options.whose ?? (options.asBefore === true ? subjectBefore : subjectOf)(basename(stem))
  return { id: stem, subject, index, height, width, channels, image: Uint8Array.from(data, show), mask }
}

async function readVolumePair (root: string, { stem, image, mask, whose }: Pair, options: PairOptions): Promise<PairSlices> {
  const volume = await readVolume(join(root, image), options.channels)
  const stack = planStack(volume, options.axis)
  const masks = await readVolumeLabels(join(root, mask), { header: volume.header, stack })
  const said = { ...options, modality: await modalityOf(join(root, image), options.modality) }
  const shown = shownOfVolume(volume, said)
  const slices = volumeSlices(stem, volume, stack, masks, { ...said, shown, ...whose == null ? {} : { whose } })
  const withForeground = slices.filter((slice) => slice.mask.some((label) => label > 0))
  return {
    slices: withForeground,
    volume: factsOf(stack),
    emptySlices: slices.length - withForeground.length,
    shown,
    ignoredChannels: (volume.header.channels ?? 1) - 1,
    twoPlaces: volume.header.twoPlaces === true
  }
}

/** A volume, or the first channel of one. @throws InputError whose message is a reason without a file name */
export async function readVolume (file: string, channels?: number): Promise<Volume> {
  return await readNifti(file, undefined, channels)
}

/** What is known of an image, or what the file beside it says that dcm2niix wrote. */
export async function modalityOf (file: string, known: Modality): Promise<Modality> {
  return known === 'unknown' ? await readSidecar(file) : known
}

/** @throws InputError when all values are alike */
function shownOfVolume ({ header: { slope, intercept }, voxels }: Volume, options: Partial<PairOptions>): Shown {
  return shownOf({ stored: voxels, slope, intercept }, options)
}

/** The labels of every slice of a volume, in the order of its stack. @throws InputError whose message is a reason without a file name */
export async function readVolumeLabels (
  file: string,
  { header, stack }: { readonly header: NiftiHeader, readonly stack: Stack }
): Promise<Uint8Array[]> {
  const labels = await about('mask', () => readNifti(file))
  const masks = cutLabels(labels, matchStack({ header, stack }, labels.header))
  checkLabels(masks)
  return masks
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
  const images = cutImages(volume, stack, options)
  const { subject, index: first } = options.whose ?? ofVolume(basename(stem), images.length, options.asBefore)
  return images.map((image, index) => ({
    id: `${stem}#${String(index).padStart(3, '0')}`,
    subject,
    // One slice has its place among its subject's files; those of a volume have theirs within it.
    index: images.length === 1 ? first : index,
    height,
    width,
    channels: 1,
    image,
    mask: masks[index]!
  }))
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

function checkLabels (masks: readonly Uint8Array[]): void {
  const seen = new Set(masks.flatMap((mask) => [...new Set(mask)]))
  if (![...seen].some((label) => label > 0)) throw new InputError(NO_FOREGROUND)
  if (seen.size > MAX_LABELS + 1) {
    throw new InputError(`the mask holds ${seen.size - 1} different labels, more than ${MAX_LABELS}: it is a picture, not a mask`)
  }
}

async function about<T> (part: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof InputError ? new InputError(`its ${part}: ${error.message}`) : error
  }
}
