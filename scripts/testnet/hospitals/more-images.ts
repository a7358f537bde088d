import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import pMap from 'p-map'
import sharp from 'sharp'
import { seededRandom, type Random } from '../../../src/common/random.ts'
import { loadDataset, splitSlices, type Slice } from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import type { Hospital } from './hospitals.ts'

type Picture = Pick<Slice, 'height' | 'width' | 'channels' | 'image' | 'mask'>

/** A copy lies off by at most this part of the picture's side, and is brighter or darker by at most this much. */
const SHIFT = 0.03
const LIGHT = 0.1
const FILES_AT_ONCE = 8

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
  for (const part of ['images', 'masks']) await mkdir(join(data, part), { recursive: true })
  const [training, heldOut] = subjectNames(seed)
  const random = seededRandom(seed, hospital.index)
  for (let turn = 0; turn < factor; turn++) {
    const pictures = turn === 0 ? train : train.map((slice) => alike(slice, random))
    await writeAll(data, pictures, (index) => `${training}_${turn * train.length + index}`)
  }
  await writeAll(data, validation, (index) => `${heldOut}_${index}`)
  return { ...hospital, data }
}

export interface MoreOptions {
  readonly folder: string
  /** Of the federation. */
  readonly seed: number
}

/** A split of two subjects by their names' order and the seed: so named, it trains on the first and holds the second out. */
function subjectNames (seed: number): readonly [training: string, heldOut: string] {
  const all = [['training', 'validation'], ['training', 'held-out']] as const
  return all.find(([training, heldOut]) => isHeldOut(heldOut, [training, heldOut], seed)) ?? all[0]
}

function isHeldOut (name: string, subjects: readonly string[], seed: number): boolean {
  const none = { index: 0, height: 0, width: 0, channels: 1, image: new Uint8Array(), mask: new Uint8Array() } as const
  const slices = subjects.map((subject): Slice => ({ id: subject, subject, ...none }))
  return splitSlices(slices, { seed }).validation.every(({ subject }) => subject === name)
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

async function writeAll (data: string, pictures: readonly Picture[], nameOf: (index: number) => string): Promise<void> {
  await pMap(pictures, async (picture, index) => { await write(data, nameOf(index), picture) }, { concurrency: FILES_AT_ONCE })
}

/** Labels are written as they are: a mask that were made visible would have other labels than its neighbours. */
async function write (data: string, stem: string, { height, width, channels, image, mask }: Picture): Promise<void> {
  await sharp(image, { raw: { height, width, channels } }).png().toFile(join(data, 'images', `${stem}.png`))
  await sharp(mask, { raw: { height, width, channels: 1 } }).toColourspace('b-w').png().toFile(join(data, 'masks', `${stem}.png`))
}
