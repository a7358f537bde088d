import { stat } from 'node:fs/promises'
import { systemReason } from '../common/system-error.ts'
import { InputError } from '../errors.ts'
import { readStatement } from './names/dataset-json.ts'
import { modalityOf, pictureSlice, readPictureLabels, readVolumeLabels, volumeSlices, type PairOptions } from './read-pair.ts'
import { FORMATS, parseName } from './readers/file.ts'
import type { NiftiHeader } from './readers/nifti-header.ts'
import type { Volume } from './readers/nifti.ts'
import { readPages } from './readers/pages/read-pages.ts'
import { stackOf } from './readers/picture-stack.ts'
import { pictureOf } from './readers/picture.ts'
import { readVolume } from './readers/volume.ts'
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

/** Reads one image or volume to be segmented, with what is needed to write its mask back. @throws InputError naming the file */
export async function readImage (file: string, options: ReadOptions = {}): Promise<PictureImage | VolumeImage> {
  const { stem, kind } = parseName(file)
  if (kind == null) throw new InputError(`${file} is of a format that is not read: use ${FORMATS}`)
  try {
    const said = await statedOf(file, options)
    if (kind === 'picture') return await pictureOrStack(file, stem, said)
    const volume = await readVolume(file, said.channels)
    return oneVolume(volume, stem, { ...said, modality: await modalityOf(file, volume, said) })
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

/** The options, with what the image's data set states of it. */
async function statedOf (file: string, options: ReadOptions): Promise<PairOptions> {
  const { modality, channels } = await readStatement(file)
  return { ...options, modality: options.modality ?? modality, channels }
}

async function pictureOrStack (file: string, stem: string, options: PairOptions): Promise<PictureImage | VolumeImage> {
  const pages = await readPages(file)
  if (pages.length > 1) return oneVolume(stackOf(pages), stem, options)
  const picture = pictureOf(pages[0]!)
  const { height, width, orientation } = picture
  return {
    kind: 'picture',
    slices: [pictureSlice(stem, picture, new Uint8Array(height * width), options)],
    ...orientation == null ? {} : { orientation }
  }
}

function oneVolume (volume: Volume, stem: string, options: PairOptions): VolumeImage {
  const stack = planStack(volume, options.axis)
  const masks = Array.from({ length: stack.cut.slices.count }, () => new Uint8Array(stack.height * stack.width))
  return { kind: 'volume', slices: volumeSlices(stem, volume, stack, masks, options), stack, header: volume.header }
}
