import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemReason } from '../../common/system-error.ts'
import { InputError } from '../../errors.ts'
import type { Instance } from '../../formats/dicom/instance.ts'
import { isPlaced } from '../../formats/dicom/read-stack.ts'
import type { Stack } from '../../formats/dicom/stacks.ts'
import { surveyFiles } from '../../formats/dicom/survey.ts'
import { AS_STORED } from '../../formats/raw-volume.ts'
import { onePicture, oneVolume, type PictureImage, type VolumeImage } from '../read-image.ts'
import type { ReadOptions } from '../types.ts'
import { findCandidates } from './find-files.ts'
import { stacksIn } from './list-dicom.ts'
import { openPictures, openStack } from './read-dicom-pair.ts'

/** Slices bear this name instead of one that the files give. */
const NAME = 'series'

/**
 * The DICOM series of a folder, or of a file among others: its largest stack, or that of the file. @throws InputError naming the path
 * where there is none or several
 */
export async function findSeries (path: string): Promise<Stack> {
  const isFolder = await stat(path).then((found) => found.isDirectory(), (error: unknown) => {
    throw new InputError(`${path} cannot be used: ${systemReason(error)}`)
  })
  const folder = isFolder ? path : dirname(path)
  const { instances, refused } = await surveyFiles((await findCandidates(folder)).map((file) => join(folder, file)))
  const images = instances.filter(({ kind }) => kind === 'image')
  const named = isFolder ? undefined : images.find(({ file }) => file === join(folder, path.slice(folder.length)))
  if (!isFolder && named == null) {
    const reason = refused.find(({ file }) => file === join(folder, path.slice(folder.length)))?.reason ?? 'it is no DICOM image'
    throw new InputError(`${path} cannot be used: ${reason}`)
  }
  return stackAmong(path, images, named)
}

function stackAmong (path: string, images: readonly Instance[], named: Instance | undefined): Stack {
  const all = stacksIn(named == null ? images : images.filter(({ series }) => series === named.series))
  const [stacks] = all.values()
  if (stacks == null) throw new InputError(`${path} holds no DICOM images: name the folder of a series, or one of its files`)
  if (all.size > 1) throw new InputError(`${path} holds ${all.size} DICOM series: name the folder of one, or one of its files`)
  return stacks.find(({ frames }) => frames.some(({ sop }) => sop === named?.sop)) ?? stacks[0]!
}

/** Reads a series to be segmented, as `readImage` reads a file. @throws InputError naming the path */
export async function readDicomImage (path: string, stack: Stack, options: ReadOptions = {}): Promise<PictureImage | VolumeImage> {
  try {
    if (!isPlaced(stack) && stack.frames.length === 1) {
      const { value: picture } = await openPictures(stack, options).next()
      return onePicture(picture!, NAME, options)
    }
    const { volume } = await openStack(isPlaced(stack) ? stack : { ...stack, place: AS_STORED }, options)
    return oneVolume(volume, NAME, options)
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${path} cannot be used: ${error.message}`) : error
  }
}
