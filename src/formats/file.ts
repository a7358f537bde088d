import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { systemReason } from '../common/system-error.ts'
import { InputError } from '../errors.ts'

/** Larger files are refused before a byte is read: a CT of 512×512×1000 at 16 bit is 512 MiB. */
const MAX_FILE_BYTES = 1024 ** 3

/** What is read, in the words of a sentence. */
export const FORMATS =
  'PNG, JPEG, TIFF, BMP, GIF, NumPy (.npy, .npz), NIfTI (.nii, .nii.gz, .hdr with .img), NRRD or MetaImage (.mha, .mhd)'

/** Data files that the headers of volumes name (.mhd, .nhdr) or belong to (.hdr), and nobody means as images. */
export const VOLUME_DATA = { header: /\.(mhd|nhdr|hdr|hdr\.gz)$/i, data: /\.(z?raw|raw\.gz|img|img\.gz)$/i } as const

const EXTENSIONS: Record<string, 'picture' | 'volume'> = {
  '.png': 'picture',
  '.jpg': 'picture',
  '.jpeg': 'picture',
  '.tif': 'picture',
  '.tiff': 'picture',
  '.bmp': 'picture',
  '.gif': 'picture',
  '.npy': 'picture',
  '.npz': 'picture',
  '.nii': 'volume',
  '.nii.gz': 'volume',
  '.hdr': 'volume',
  '.hdr.gz': 'volume',
  '.nrrd': 'volume',
  '.seg.nrrd': 'volume',
  '.nhdr': 'volume',
  '.mha': 'volume',
  '.mhd': 'volume'
}

/** Splits a file name into stem and lower-case ending; `kind` is undefined for formats that are not read. */
export function parseName (file: string): { stem: string, ending: string, kind: 'picture' | 'volume' | undefined } {
  const name = basename(file)
  const ending = /(\.(?:nii|hdr)\.gz|\.seg\.nrrd|\.[^.]*)$/i.exec(name)?.[0] ?? ''
  return { stem: name.slice(0, name.length - ending.length), ending: ending.toLowerCase(), kind: EXTENSIONS[ending.toLowerCase()] }
}

/** Reads a whole file. @throws InputError whose message is a reason without a file name */
export async function readCapped (file: string, limit = MAX_FILE_BYTES): Promise<Buffer<ArrayBuffer>> {
  try {
    const { size } = await stat(file)
    if (size > limit) throw new InputError(`the file is larger than ${Math.floor(limit / 1024 ** 2)} MiB`)
    if (size === 0) throw new InputError('the file is empty')
    return await readFile(file)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(systemReason(error))
  }
}
