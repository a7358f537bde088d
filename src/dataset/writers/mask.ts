import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import sharp from 'sharp'
import type { NiftiHeader } from '../../formats/nifti-header.ts'
import type { VolumeImage } from '../read-image.ts'
import { joinLabels } from '../transforms/slicing.ts'
import { writeOutput } from './file.ts'

/**
 * Writes a mask of height·width labels as an 8-bit grey PNG. A mask whose only labels are 0 and 1 is written as 0 and 255, so
 * that it can be seen, unless the numbers mean something (`exact`); reading it back gives 0 and 1 again.
 *
 * @throws InputError when the file cannot be written
 */
export async function writeMaskPng (file: string, mask: Uint8Array, height: number, width: number, exact = false): Promise<void> {
  const visible = exact || mask.some((label) => label > 1) ? mask : mask.map((label) => label * 255)
  await writeOutput(file, await maskPng(visible, height, width))
}

/** The same as bytes, with the labels as they are. */
export async function maskPng (mask: Uint8Array, height: number, width: number): Promise<Buffer> {
  if (mask.length !== height * width) throw new RangeError(`a mask of ${mask.length} labels is not ${width}×${height}`)
  return await sharp(mask, { raw: { height, width, channels: 1 } }).toColourspace('b-w').png().toBuffer()
}

/**
 * Writes the masks of all slices as one label volume in the geometry of the image: same size, voxel size, sform and qform, one
 * byte per voxel; compressed when the name ends in .gz.
 *
 * @throws InputError when the file cannot be written
 */
export async function writeMaskNifti (file: string, { header, stack, slices }: VolumeImage, masks: readonly Uint8Array[]): Promise<void> {
  if (masks.length !== slices.length) throw new RangeError(`${masks.length} masks for ${slices.length} slices`)
  const voxels = joinLabels(masks, stack)
  await writeOutput(file, /\.gz$/i.test(file) ? await maskNiftiGz(header, voxels) : maskNifti(header, voxels))
}

/** Labels of every voxel in the volume's own order, compressed. */
export async function maskNiftiGz (header: NiftiHeader, voxels: Uint8Array): Promise<Buffer> {
  return await promisify(gzip)(maskNifti(header, voxels))
}

function maskNifti (header: NiftiHeader, voxels: Uint8Array): Buffer {
  return Buffer.concat([labelHeader(header), voxels])
}

/** Byte places of the fields that differ between an image and its mask. */
const PLACES = {
  1: {
    dims: 40,
    type: 70,
    bits: 72,
    offset: 108,
    slope: 112,
    intercept: 116,
    calMax: 124,
    calMin: 128,
    texts: [[4, 32], [148, 252], [328, 344]],
    intent: 68,
    float: 4
  },
  2: {
    dims: 16,
    type: 12,
    bits: 14,
    offset: 168,
    slope: 176,
    intercept: 184,
    calMax: 192,
    calMin: 200,
    texts: [[240, 344], [508, 524]],
    intent: 504,
    float: 8
  }
} as const

/** The image's header for 8-bit labels, in its byte order; free texts are emptied, since scanners write names into them. */
function labelHeader ({ bytes, version, littleEndian, channels }: NiftiHeader): Uint8Array {
  // Four bytes follow the header: no extensions.
  const out = new Uint8Array(bytes.length + 4)
  out.set(bytes)
  const view = new DataView(out.buffer)
  const place = PLACES[version]
  const float = (at: number, value: number): void => {
    if (place.float === 4) view.setFloat32(at, value, littleEndian)
    else view.setFloat64(at, value, littleEndian)
  }
  if (channels != null) {
    for (const [axis, length] of [[0, 3], [4, 1]] as const) {
      if (version === 1) view.setInt16(place.dims + 2 * axis, length, littleEndian)
      else view.setBigInt64(place.dims + 8 * axis, BigInt(length), littleEndian)
    }
  }
  view.setInt16(place.type, 2, littleEndian)
  view.setInt16(place.bits, 8, littleEndian)
  if (version === 1) view.setFloat32(place.offset, out.length, littleEndian)
  else view.setBigInt64(place.offset, BigInt(out.length), littleEndian)
  float(place.slope, 1)
  float(place.intercept, 0)
  float(place.calMax, 0)
  float(place.calMin, 0)
  if (version === 1) view.setInt16(place.intent, 0, littleEndian)
  else view.setInt32(place.intent, 0, littleEndian)
  for (const [from, to] of place.texts) out.fill(0, from, to)
  return out
}
