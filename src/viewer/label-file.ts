import { joinLabels, maskNiftiGz, maskPng, nrrdBytes, type NrrdType } from '../dataset/index.ts'
import type { Image } from '../site-model/predict/prompt.ts'

export interface LabelFile {
  readonly ending: string
  readonly type: string
  readonly bytes: Buffer
}

const TYPES = { '.nrrd': 'application/octet-stream', '.nii.gz': 'application/gzip', '.png': 'image/png' } as const
/** A picture lies on the grid of its pixels, as viewers lay it. */
const PIXELS = [[-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0]] as const

/** Labels of an image in the order of its own voxels or pixels. */
export function labelVoxels (image: Image, masks: readonly Uint8Array[]): Uint8Array {
  return image.kind === 'volume' ? joinLabels(masks, image.stack) : masks[0]!
}

/** Labels in the geometry of their image, in the format that was asked for, or the one that fits. */
export async function labelFile (image: Image, voxels: Uint8Array, ending: string, type: NrrdType = 'uint8'): Promise<LabelFile> {
  if (image.kind === 'picture') {
    const { height, width } = image.slices[0]!
    if (ending === '.png') return fileOf('.png', await maskPng(voxels, height, width))
    return fileOf('.nrrd', nrrdBytes(voxels, { dims: [width, height, 1], affine: PIXELS }, type))
  }
  return ending === '.nii.gz' || ending === '.nii'
    ? fileOf('.nii.gz', await maskNiftiGz(image.header, voxels))
    : fileOf('.nrrd', nrrdBytes(voxels, image.header, type))
}

function fileOf (ending: keyof typeof TYPES, bytes: Buffer): LabelFile {
  return { ending, type: TYPES[ending], bytes }
}
