import { join } from 'node:path'
import { isPlaced } from '../formats/dicom/read-stack.ts'
import { valuesIn, valuesOf, withShown, type CaseOptions, type OpenPicture, type OpenVolume } from './channels/layers.ts'
import { openCase } from './channels/open-case.ts'
import { openPictures, openStack } from './dicom/read-dicom-pair.ts'
import { onePicture, oneVolume } from './read-image.ts'
import type { DataImage } from './redrawn.ts'
import type { Shown } from './transforms/normalise.ts'
import type { Slice } from './types.ts'

interface Read { readonly slices: readonly Slice[], readonly shown: readonly Shown[] }

/** All slices of an image of a data folder, their masks all 0. @throws InputError whose message is a reason without a name */
export async function readBareImage (root: string, image: DataImage, given: CaseOptions): Promise<Read> {
  const { stem, whose } = image
  const options = { ...given, ...whose == null ? {} : { whose } }
  if (!('stack' in image)) {
    const files = image.channels == null ? undefined : new Map([...image.channels].map(([channel, file]) => [channel, join(root, file)]))
    return slicesOf(await openCase({ image: join(root, image.image), files }, options), stem, options)
  }
  if (isPlaced(image.stack)) return slicesOf((await openStack(image.stack, options)).volume, stem, options)
  const pictures: Read[] = []
  for await (const picture of openPictures(image.stack, options)) {
    pictures.push(slicesOf(picture, `${stem}#${String(pictures.length).padStart(3, '0')}`, options))
  }
  return { slices: pictures.flatMap(({ slices }) => slices), shown: pictures[0]?.shown ?? [] }
}

function slicesOf (opened: OpenPicture | OpenVolume, stem: string, options: CaseOptions): Read {
  if (opened.kind === 'picture') {
    const { layers, shown } = withShown(opened.layers, valuesIn)
    return { slices: onePicture({ ...opened, layers }, stem, options).slices, shown }
  }
  const { layers, shown } = withShown(opened.layers, valuesOf)
  return { slices: oneVolume({ ...opened, layers }, stem, options).slices, shown }
}
