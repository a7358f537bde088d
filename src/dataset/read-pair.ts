import { join } from 'node:path'
import { InputError } from '../errors.ts'
import type { Pair } from './layout.ts'
import type { NiftiHeader } from './readers/nifti-header.ts'
import { readNifti, type Volume } from './readers/nifti.ts'
import { readPicture, type Picture } from './readers/picture.ts'
import { subjectOf } from './subject.ts'
import { brightness, type Modality } from './transforms/normalise.ts'
import { matchStack } from './transforms/matching.ts'
import { cutImages, cutLabels, planStack, type Stack } from './transforms/slicing.ts'
import type { ReadOptions, Slice, VolumeFacts } from './types.ts'

export interface PairOptions extends ReadOptions {
  readonly modality: Modality
}

export interface PairSlices {
  readonly slices: readonly Slice[]
  readonly volume?: VolumeFacts
  readonly emptySlices: number
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

async function readPicturePair (root: string, { stem, image, mask }: Pair, options: PairOptions): Promise<PairSlices> {
  const picture = await readPicture(join(root, image))
  return { slices: [pictureSlice(stem, picture, await readPictureLabels(join(root, mask), picture), options)], emptySlices: 0 }
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
  return { id: stem, ...subjectOf(stem), height, width, channels, image: Uint8Array.from(data, show), mask }
}

async function readVolumePair (root: string, { stem, image, mask }: Pair, options: PairOptions): Promise<PairSlices> {
  const volume = await readNifti(join(root, image))
  const stack = planStack(volume, options.axis)
  const masks = await readVolumeLabels(join(root, mask), { header: volume.header, stack })
  const slices = volumeSlices(stem, volume, stack, masks, options)
  const shown = slices.filter((slice) => slice.mask.some((label) => label > 0))
  return { slices: shown, volume: factsOf(stack), emptySlices: slices.length - shown.length }
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
  return cutImages(volume, stack, options).map((image, index) => (
    { id: `${stem}#${String(index).padStart(3, '0')}`, subject: stem, index, height, width, channels: 1, image, mask: masks[index]! }))
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
