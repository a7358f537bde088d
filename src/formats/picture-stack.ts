import { InputError } from '../errors.ts'
import type { Volume, Voxels } from './nifti.ts'
import type { Samples } from './pages/samples.ts'
import { pictureOf } from './picture.ts'
import { AS_STORED, headerOf } from './raw-volume.ts'

const ONE_FILE_PER_PAGE = 'store one file per page'

/** Pages as the slices of a volume of cubes of 1 mm, since nothing says its size. @throws InputError for colour and uneven pages */
export function stackOf (pages: readonly Samples[]): Volume {
  const pictures = pages.map(pictureOf)
  if (pictures.some(({ channels }) => channels !== 1)) throw new InputError(`the file holds several pages in colour: ${ONE_FILE_PER_PAGE}`)
  return joined(pages, pictures.map(({ data }) => data))
}

/** Pages of labels as a volume. @throws InputError for pages of several sizes */
export function joined (pages: readonly Samples[], parts: readonly Voxels[]): Volume {
  const { height, width } = pages[0]!
  if (pages.some((page) => page.height !== height || page.width !== width)) {
    throw new InputError(`the pages of the file differ in size: ${ONE_FILE_PER_PAGE}`)
  }
  const Type = parts[0]!.constructor as Uint8ArrayConstructor
  if (parts.some((part) => part.constructor !== Type)) throw new InputError(`the pages of the file differ in depth: ${ONE_FILE_PER_PAGE}`)
  const voxels = new Type(height * width * parts.length)
  parts.forEach((part, k) => { voxels.set(part, k * height * width) })
  return { header: headerOf([width, height, parts.length], AS_STORED), voxels }
}
