import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import sharp from 'sharp'
import { splitSlices, type Slice } from '../../../src/dataset/index.ts'

export type Picture = Pick<Slice, 'height' | 'width' | 'channels' | 'image' | 'mask'>

export interface Apart {
  readonly training: readonly Picture[]
  readonly heldOut: readonly Picture[]
}

const FILES_AT_ONCE = 8

/** A data folder of pictures that the federation's split (`seed`) parts as said: both sides are subjects of their own. */
export async function writeApart (data: string, { training, heldOut }: Apart, seed: number): Promise<void> {
  for (const part of ['images', 'masks']) await mkdir(join(data, part), { recursive: true })
  const [first, second] = subjectNames(seed)
  await writeAll(data, training, (index) => `${first}_${index}`)
  await writeAll(data, heldOut, (index) => `${second}_${index}`)
}

/** A split of two subjects follows from their names and the seed: so named, it trains on the first and holds the second out. */
function subjectNames (seed: number): readonly [training: string, heldOut: string] {
  const training = 'training'
  const names = ['validation', ...[...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `held-out-${letter}`)]
  return [training, names.find((heldOut) => isHeldOut(heldOut, [training, heldOut], seed)) ?? names[0]!]
}

function isHeldOut (name: string, subjects: readonly string[], seed: number): boolean {
  const none = { index: 0, height: 0, width: 0, channels: 1, image: new Uint8Array(), mask: new Uint8Array() } as const
  const slices = subjects.map((subject): Slice => ({ id: subject, subject, ...none }))
  return splitSlices(slices, { seed }).validation.every(({ subject }) => subject === name)
}

async function writeAll (data: string, pictures: readonly Picture[], nameOf: (index: number) => string): Promise<void> {
  await pMap(pictures, async (picture, index) => { await write(data, nameOf(index), picture) }, { concurrency: FILES_AT_ONCE })
}

/** Labels are written as they are: a mask that were made visible would have other labels than its neighbours. */
async function write (data: string, stem: string, { height, width, channels, image, mask }: Picture): Promise<void> {
  await sharp(image, { raw: { height, width, channels } }).png().toFile(join(data, 'images', `${stem}.png`))
  await sharp(mask, { raw: { height, width, channels: 1 } }).toColourspace('b-w').png().toFile(join(data, 'masks', `${stem}.png`))
}
