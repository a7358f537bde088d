import { resolve } from 'node:path'
import { seededRandom, type Random } from '../../../src/common/random.ts'
import { loadDataset, splitSlices } from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import type { Hospital } from './hospitals.ts'
import { writeApart, type Picture } from './write-apart.ts'

/** A copy lies off by at most this part of the picture's side, and is brighter or darker by at most this much. */
const SHIFT = 0.03
const LIGHT = 0.1

/**
 * A data folder in `folder` for a hospital with so many times the training images: its own, and simulated copies. The federation's split
 * of it (`seed`) keeps the same validation images, which are not copied. @throws InputError when it has too few images for a split.
 */
export async function withMoreImages (hospital: Hospital, factor: number, { folder, seed }: MoreOptions): Promise<Hospital> {
  const { train, validation } = splitSlices((await loadDataset(hospital.data)).slices, { seed })
  if (train.length === 0 || validation.length === 0) {
    throw new InputError(`${hospital.data} has too few images to split into training and validation: add images, or leave --images out`)
  }
  const data = resolve(folder, hospital.name)
  const random = seededRandom(seed, hospital.index)
  const training = Array.from({ length: factor }, (_, turn) => turn === 0 ? train : train.map((slice) => alike(slice, random))).flat()
  await writeApart(data, { training, heldOut: validation }, seed)
  return { ...hospital, data }
}

export interface MoreOptions {
  readonly folder: string
  /** Of the federation. */
  readonly seed: number
}

/** A simulated picture of the same thing: mirrored or not, moved by a few pixels, around the edge, and brighter or darker. */
export function alike (picture: Picture, random: Random): Picture {
  const { height, width, channels, image, mask } = picture
  const mirrored = random() < 0.5
  const [right, down] = [shift(width, random), shift(height, random)]
  const gain = 1 + LIGHT * (2 * random() - 1)
  const copy = { ...picture, image: new Uint8Array(image.length), mask: new Uint8Array(mask.length) }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const column = (x - right + width) % width
      const from = (y - down + height) % height * width + (mirrored ? width - 1 - column : column)
      const to = y * width + x
      copy.mask[to] = mask[from]!
      for (let c = 0; c < channels; c++) copy.image[to * channels + c] = Math.min(255, Math.round(gain * image[from * channels + c]!))
    }
  }
  return copy
}

/** At least one pixel, to either side. */
function shift (side: number, random: Random): number {
  const pixels = 1 + Math.floor(random() * SHIFT * side)
  return random() < 0.5 ? pixels : -pixels
}
