import { stat } from 'node:fs/promises'
import { systemReason } from '../common/system-error.ts'
import { InputError } from '../errors.ts'
import { readStatement } from './names/dataset-json.ts'
import { modalityOf, pictureSlice, readPictureLabels, readVolume, readVolumeLabels, volumeSlices, type PairOptions } from './read-pair.ts'
import { parseName } from './readers/file.ts'
import type { NiftiHeader } from './readers/nifti-header.ts'
import { readPicture } from './readers/picture.ts'
import { planStack, type Stack } from './transforms/slicing.ts'
import type { ReadOptions, Slice } from './types.ts'

export interface PictureImage {
  readonly kind: 'picture'
  /** exactly one, its mask all 0 */
  readonly slices: readonly Slice[]
}

export interface VolumeImage {
  readonly kind: 'volume'
  /** all slices along the axis in order, their masks all 0 */
  readonly slices: readonly Slice[]
  readonly stack: Stack
  readonly header: NiftiHeader
}

/** Reads one image or volume to be segmented, with what is needed to write its mask back. @throws InputError naming the file */
export async function readImage (file: string, options: ReadOptions = {}): Promise<PictureImage | VolumeImage> {
  const { stem, kind } = parseName(file)
  if (kind == null) throw new InputError(`${file} is of a format that is not read: use PNG, JPEG, TIFF or NIfTI (.nii, .nii.gz)`)
  try {
    const own = await said(file, options)
    return kind === 'picture' ? await onePicture(file, stem, own) : await oneVolume(file, stem, own)
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${file} cannot be used: ${error.message}`) : error
  }
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
  if (kind !== image.kind) {
    throw new InputError(
      image.kind === 'volume'
        ? `the mask ${file} is not a volume, but the image is: use NIfTI`
        : `the mask ${file} is not a picture, but the image is: use PNG`
    )
  }
  try {
    return image.kind === 'volume' ? await readVolumeLabels(file, image) : [await readPictureLabels(file, image.slices[0]!)]
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${file} cannot be used: ${error.message}`) : error
  }
}

/** The image's own options, with what its data set states of it. */
async function said (file: string, options: ReadOptions): Promise<PairOptions> {
  const { modality, channels } = await readStatement(file)
  return { ...options, modality: options.modality ?? modality, channels }
}

async function onePicture (file: string, stem: string, options: PairOptions): Promise<PictureImage> {
  const picture = await readPicture(file)
  return { kind: 'picture', slices: [pictureSlice(stem, picture, new Uint8Array(picture.height * picture.width), options)] }
}

async function oneVolume (file: string, stem: string, own: PairOptions): Promise<VolumeImage> {
  const volume = await readVolume(file, own.channels)
  const options = { ...own, modality: await modalityOf(file, own.modality) }
  const stack = planStack(volume, options.axis)
  const masks = Array.from({ length: stack.cut.slices.count }, () => new Uint8Array(stack.height * stack.width))
  return { kind: 'volume', slices: volumeSlices(stem, volume, stack, masks, options), stack, header: volume.header }
}
