import { InputError } from '../errors.ts'
import { parseName } from '../formats/file.ts'
import { readVolume } from '../formats/volume.ts'
import { encoded } from './masks/labels.ts'
import { readMaskOf, type PictureImage, type VolumeImage } from './read-image.ts'
import { joinLabels } from './transforms/slicing.ts'

/**
 * Labels of an image from a file that a viewer saved, in the order of its own voxels or pixels; viewers of volumes save those of a picture
 * as a volume of one slice. @throws InputError naming the file
 */
export async function readLabelVoxels (image: PictureImage | VolumeImage, file: string): Promise<Uint8Array> {
  if (image.kind === 'volume') return joinLabels(await readMaskOf(image, file), image.stack)
  if (parseName(file).kind === 'picture') return (await readMaskOf(image, file))[0]!
  const { height, width } = image.slices[0]!
  const { header: { dims }, voxels } = await readVolume(file).catch((error: unknown) => {
    throw error instanceof InputError ? new InputError(`${file} cannot be used: ${error.message}`) : error
  })
  if (dims.join() === [width, height, 1].join()) return encoded(voxels, {})
  throw new InputError(`${file} has ${dims.join('×')} voxels, and the image ${width}×${height} pixels`)
}
