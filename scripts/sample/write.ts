import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { NIFTI1 } from 'nifti-reader-js'
import sharp from 'sharp'
import { writeOutput } from '../../src/dataset/writers/file.ts'
import { writeMaskPng } from '../../src/dataset/writers/mask.ts'
import type { Stack } from './source.ts'

const SUBJECT = 'colin27'

/** `images/` and `masks/` of PNG files, numbered by their position in mm. */
export async function writePictures (folder: string, { height, width, positions, images, masks }: Stack): Promise<void> {
  await emptyFolders(folder, 'images', 'masks')
  for (const [k, position] of positions.entries()) {
    const name = `${SUBJECT}_${String(position).padStart(3, '0')}.png`
    const png = await sharp(images[k], { raw: { height, width, channels: 1 } }).toColourspace('b-w').png({ compressionLevel: 9 }).toBuffer()
    await writeOutput(join(folder, 'images', name), png)
    await writeMaskPng(join(folder, 'masks', name), masks[k]!, height, width)
  }
}

/** `images/` and `masks/` of one compressed 8-bit volume. */
export async function writeVolume (folder: string, stack: Stack): Promise<void> {
  await emptyFolders(folder, 'images', 'masks')
  await writeNifti(join(folder, 'images', `${SUBJECT}.nii.gz`), stack, stack.images)
  await writeNifti(join(folder, 'masks', `${SUBJECT}.nii.gz`), stack, stack.masks)
}

/** nnU-Net raw layout of one compressed volume, its values `factor` times the brightness, 16-bit. */
export async function writeNnunet (folder: string, stack: Stack, values: readonly Int16Array[]): Promise<void> {
  await emptyFolders(folder, 'imagesTr', 'labelsTr')
  await writeNifti(join(folder, 'imagesTr', `${SUBJECT}_0000.nii.gz`), stack, values)
  await writeNifti(join(folder, 'labelsTr', `${SUBJECT}.nii.gz`), stack, stack.masks)
  const description = { channel_names: { 0: 'T1' }, labels: { background: 0, brain: 1 }, numTraining: 1, file_ending: '.nii.gz' }
  await writeOutput(join(folder, 'dataset.json'), Buffer.from(`${JSON.stringify(description, null, 2)}\n`))
}

/** The deep grey matter alone, as the masks of PNG files or as one volume, under the same names. */
export async function writeDeepGrey (folder: string, stack: Stack, kind: 'pictures' | 'volume'): Promise<void> {
  const { height, width, positions, deepGrey } = stack
  await emptyFolders(folder, '.')
  if (kind === 'volume') return await writeNifti(join(folder, `${SUBJECT}.nii.gz`), stack, deepGrey)
  for (const [k, position] of positions.entries()) {
    await writeMaskPng(join(folder, `${SUBJECT}_${String(position).padStart(3, '0')}.png`), deepGrey[k]!, height, width)
  }
}

async function emptyFolders (folder: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    await rm(join(folder, name), { recursive: true, force: true })
    await mkdir(join(folder, name), { recursive: true })
  }
}

async function writeNifti (file: string, { height, width, affine }: Stack, slices: readonly (Uint8Array | Int16Array)[]): Promise<void> {
  const wide = slices[0] instanceof Int16Array
  const header = new NIFTI1()
  header.littleEndian = true
  header.dims = [3, width, height, slices.length, 1, 1, 1, 1]
  header.pixDims = [1, ...[0, 1, 2].map((axis) => Math.hypot(...affine.map((row) => row[axis]!))), 1, 1, 1, 1]
  header.datatypeCode = wide ? NIFTI1.TYPE_INT16 : NIFTI1.TYPE_UINT8
  header.numBitsPerVoxel = wide ? 16 : 8
  header.vox_offset = 352
  header.scl_slope = 1
  header.xyzt_units = NIFTI1.UNITS_MM
  header.sform_code = NIFTI1.XFORM_ALIGNED_ANAT
  header.affine = [...affine.map((row) => [...row]), [0, 0, 0, 1]]
  header.magic = 'n+1'
  const start = Buffer.alloc(header.vox_offset)
  start.set(new Uint8Array(header.toArrayBuffer()).subarray(0, start.length))
  const voxels = slices.map((slice) => new Uint8Array(slice.buffer, slice.byteOffset, slice.byteLength))
  await mkdir(dirname(file), { recursive: true })
  await writeOutput(file, gzipSync(Buffer.concat([start, ...voxels]), { level: 9 }))
}
