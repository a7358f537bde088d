import { stat } from 'node:fs/promises'
import { systemReason } from '../common/system-error.ts'
import { InputError } from '../errors.ts'
import { FORMATS, parseName } from '../formats/file.ts'
import type { NiftiHeader } from '../formats/nifti-header.ts'
import { readPages } from '../formats/pages/read-pages.ts'
import { filesBeside, needsCases } from './channels/case-files.ts'
import type { OpenPicture, OpenVolume, Source } from './channels/layers.ts'
import { openCase } from './channels/open-case.ts'
import { isColour } from './channels/open-channels.ts'
import { readStatement } from './names/dataset-json.ts'
import { pictureSlice, readPictureLabels, readVolumeLabels, volumeSlices } from './read-pair.ts'
import { planStack, type Stack } from './transforms/slicing.ts'
import type { ReadOptions, Slice } from './types.ts'

export interface PictureImage {
  readonly kind: 'picture'
  /** exactly one, its mask all 0 */
  readonly slices: readonly Slice[]
  /** EXIF or TIFF orientation 2..8, which was not applied */
  readonly orientation?: number
}

export interface VolumeImage {
  readonly kind: 'volume'
  /** all slices along the axis in order, their masks all 0 */
  readonly slices: readonly Slice[]
  readonly stack: Stack
  readonly header: NiftiHeader
}

/** Whether a file holds a picture or a volume, as several pages of a picture file are; what cannot be read counts as a picture. */
export async function imageKind (file: string): Promise<'picture' | 'volume'> {
  if (parseName(file).kind === 'volume') return 'volume'
  try {
    return (await readPages(file)).length > 1 ? 'volume' : 'picture'
  } catch (error) {
    if (error instanceof InputError) return 'picture'
    throw error
  }
}

/**
 * Reads one image or volume to be segmented, with what is needed to write its mask back; where several channels are read, the file of one
 * stands for its case. @throws InputError naming the file
 */
export async function readImage (file: string, options: ReadOptions = {}): Promise<PictureImage | VolumeImage> {
  const { stem, kind } = parseName(file)
  if (kind == null) throw new InputError(`${file} is of a format that is not read: use ${FORMATS}`)
  const source = await sourceOf(file, options.channels)
  try {
    const opened = await openCase(source, { ...options, said: await readStatement(file) })
    return opened.kind === 'picture' ? onePicture(opened, stem, options) : oneVolume(opened, stem, options)
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${file} cannot be used: ${error.message}`) : error
  }
}

/** The files that reading an image reads: its own, and those of further channels of its case. @throws InputError naming the file */
export async function filesRead (file: string, channels: readonly number[] | undefined): Promise<string[]> {
  const { files } = await sourceOf(file, channels)
  return files == null ? [file] : [...files.values()]
}

async function sourceOf (image: string, channels: readonly number[] | undefined): Promise<Source> {
  if (!needsCases(channels)) return { image }
  const files = await filesBeside(image, channels)
  // A photograph that is numbered with four digits is no channel.
  return files == null || (files.size > 1 && await isColour(image)) ? { image } : { image, files }
}

/**
 * Labels of every slice of an image that was read, from a mask of the same size (and, for volumes, place). @throws InputError naming
 * the file
 */
export async function readMaskOf (image: PictureImage | VolumeImage, file: string): Promise<Uint8Array[]> {
  const { kind } = parseName(file)
  await stat(file).catch((error: unknown) => {
    throw new InputError(`the mask ${file} cannot be used: ${systemReason(error)}`)
  })
  // A picture file may hold the pages of a stack, which is a volume.
  if (kind !== image.kind && !(kind === 'picture' && image.kind === 'volume')) {
    throw new InputError(
      image.kind === 'volume'
        ? `the mask ${file} is not a volume, but the image is: use NIfTI`
        : `the mask ${file} is not a picture, but the image is: use PNG`
    )
  }
  try {
    if (image.kind === 'volume') return (await readVolumeLabels(file, image)).masks
    const { orientation } = image
    return [(await readPictureLabels(file, { ...image.slices[0]!, ...orientation == null ? {} : { orientation } })).data]
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${file} cannot be used: ${error.message}`) : error
  }
}

/** A picture to be segmented. @throws InputError when all values of one of its channels are alike */
export function onePicture (picture: OpenPicture, stem: string, options: ReadOptions): PictureImage {
  const { height, width, orientation } = picture
  return {
    kind: 'picture',
    slices: [pictureSlice(stem, picture, new Uint8Array(height * width), options)],
    ...orientation == null ? {} : { orientation }
  }
}

/** A volume to be segmented. @throws InputError when its pixels are too far from square */
export function oneVolume (volume: OpenVolume, stem: string, options: ReadOptions): VolumeImage {
  const { header } = volume.layers[0]!.source
  const stack = planStack({ header }, options.axis)
  const masks = Array.from({ length: stack.cut.slices.count }, () => new Uint8Array(stack.height * stack.width))
  return { kind: 'volume', slices: volumeSlices(stem, volume, stack, masks, options), stack, header }
}
