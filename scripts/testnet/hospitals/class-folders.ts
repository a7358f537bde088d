import { cp, mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readImage, readMaskOf, writeMaskNifti, writeMaskPng } from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import { writeJson } from '../../../src/home/files.ts'
import { SWAPPED, VALUES, type SampleClass } from '../classes.ts'
import type { Hospital } from './hospitals.ts'

/** Names of the sample's folders of masks, and of the images to which they belong. */
const LAYOUTS = { imagesTr: 'labelsTr', images: 'masks' } as const

/**
 * A data folder in `folder` with the sample's images, and masks that tell the deep grey matter (in `deep`, a folder per hospital) from
 * the brain around it, or of that alone; `swapped` with the two values exchanged, as somebody may have done who outlined them.
 */
export async function withClasses (
  hospital: Hospital,
  classes: readonly SampleClass[],
  { folder, deep, swapped }: { readonly folder: string, readonly deep: string, readonly swapped: boolean }
): Promise<Hospital> {
  const data = resolve(folder, hospital.name)
  const names = await readdir(hospital.data)
  const images = names.includes('imagesTr') ? 'imagesTr' : 'images'
  await mkdir(join(data, LAYOUTS[images]), { recursive: true })
  await cp(join(hospital.data, images), join(data, images), { recursive: true })
  const values = swapped ? SWAPPED : VALUES
  const site = hospital.data.split(/[\\/]/).at(-1)!
  for (const name of await readdir(join(hospital.data, LAYOUTS[images]))) {
    const image = await readImage(join(data, images, images === 'imagesTr' ? name.replace('.nii', '_0000.nii') : name))
    const brain = await readMask(image, join(hospital.data, LAYOUTS[images], name))
    const inner = await readMask(image, join(deep, site, name))
    const masks = image.slices.map(({ height, width }, k) => Uint8Array.from({ length: height * width }, (_, i) => {
      if ((inner?.[k]?.[i] ?? 0) > 0) return values['deep-grey']
      return classes.includes('brain') && (brain?.[k]?.[i] ?? 0) > 0 ? values.brain : 0
    }))
    const file = join(data, LAYOUTS[images], name)
    if (image.kind === 'volume') await writeMaskNifti(file, image, masks)
    else await writeMaskPng(file, masks[0]!, image.slices[0]!.height, image.slices[0]!.width, true)
  }
  if (names.includes('dataset.json')) {
    const labels = { background: 0, brain: [VALUES.brain, VALUES['deep-grey']], 'deep-grey': VALUES['deep-grey'] }
    await writeJson(join(data, 'dataset.json'), { channel_names: { 0: 'T1' }, labels, numTraining: 1, file_ending: '.nii.gz' })
  }
  return { ...hospital, data }
}

/** Undefined for a mask without foreground. */
async function readMask (image: Awaited<ReturnType<typeof readImage>>, file: string): Promise<Uint8Array[] | undefined> {
  try {
    return await readMaskOf(image, file)
  } catch (error) {
    if (error instanceof InputError && error.message.includes('no foreground')) return undefined
    throw error
  }
}
