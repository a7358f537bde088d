import { isPlaced, readStack } from '../formats/dicom/read-stack.ts'
import type { Stack } from '../formats/dicom/stacks.ts'
import type { Volume } from '../formats/nifti.ts'
import { AS_STORED } from '../formats/raw-volume.ts'
import { readVolume } from '../formats/volume.ts'
import { nrrdBytes } from './writers/nrrd.ts'

/** The numbers of a DICOM series, in one file that viewers of volumes read. @throws InputError without a file name */
export async function readSeriesNrrd (stack: Stack): Promise<Buffer> {
  return volumeNrrd((await readStack(isPlaced(stack) ? stack : { ...stack, place: AS_STORED })).volume)
}

/** The same of a volume whose voxels may lie in another file than its header. @throws InputError without a file name */
export async function readVolumeNrrd (file: string): Promise<Buffer> {
  return volumeNrrd(await readVolume(file))
}

function volumeNrrd ({ header, voxels }: Volume): Buffer {
  const { slope, intercept } = header
  const values = Float32Array.from(voxels, (stored) => Number(stored) * slope + intercept)
  const isWhole = values.every((value) => Number.isInteger(value) && value >= -32_768 && value <= 32_767)
  return nrrdBytes(values, header, isWhole ? 'int16' : 'float32')
}
