import { parseName } from './file.ts'
import { readMetaImage } from './meta-image.ts'
import { readNifti, type Volume } from './nifti.ts'
import { readNrrd } from './nrrd.ts'

/**
 * Reads a NIfTI, NRRD or MetaImage volume, told apart by ending; of a NIfTI file of so many channels the first. @throws InputError whose
 * message is a reason without a file name
 */
export async function readVolume (file: string, channels?: number): Promise<Volume> {
  const { ending } = parseName(file)
  if (/nrrd$|nhdr$/.test(ending)) return await readNrrd(file)
  return /mha$|mhd$/.test(ending) ? await readMetaImage(file) : await readNifti(file, undefined, channels)
}
