import { InputError } from '../errors.ts'
import { parseName } from './file.ts'
import { readMetaImage, readMetaImageChannels } from './meta-image.ts'
import { readNifti, readNiftiChannels, type Volume } from './nifti.ts'
import { readNrrd, readNrrdChannels } from './nrrd.ts'

/**
 * Reads a NIfTI, NRRD or MetaImage volume, told apart by ending; of a NIfTI file of so many channels the first. @throws InputError whose
 * message is a reason without a file name
 */
export async function readVolume (file: string, channels?: number): Promise<Volume> {
  const { ending } = parseName(file)
  if (/nrrd$|nhdr$/.test(ending)) return await readNrrd(file)
  return /mha$|mhd$/.test(ending) ? await readMetaImage(file) : await readNifti(file, undefined, channels)
}

/**
 * Every channel of such a volume, each as a volume of its own; `stated` is how many there must be where the file holds several.
 * @throws InputError whose message is a reason without a file name
 */
export async function readVolumeChannels (file: string, stated?: number): Promise<Volume[]> {
  const { ending } = parseName(file)
  const read = /nrrd$|nhdr$/.test(ending) ? readNrrdChannels : /mha$|mhd$/.test(ending) ? readMetaImageChannels : readNiftiChannels
  const volumes = await read(file)
  if (volumes.length > 1 && stated != null && volumes.length !== stated) {
    throw new InputError(
      `the volume has a fourth dimension (time or channels) of ${volumes.length}, and dataset.json names ${stated} ` +
        `${stated === 1 ? 'channel' : 'channels'}: name them all, or store one volume per file`
    )
  }
  return volumes
}
