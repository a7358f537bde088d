import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import sharp from 'sharp'
import { maskPng, splitSlices, type Slice } from '../../../src/dataset/index.ts'
import { writeFileSafely, writeJson } from '../../../src/home/files.ts'

export type Picture = Pick<Slice, 'height' | 'width' | 'channels' | 'image' | 'mask' | 'kind'>

export interface Apart {
  readonly training: readonly Picture[]
  readonly heldOut: readonly Picture[]
}

interface Marked extends Apart { readonly training: readonly Slice[] }

const FILES_AT_ONCE = 8

/** A data folder of pictures that the federation's split (`seed`) parts as said: both sides are subjects of their own. */
export async function writeApart (data: string, { training, heldOut }: Apart, seed: number): Promise<void> {
  const [first, second] = subjectNames(seed)
  await writeAll(data, training, (index) => `${first}_${index}`)
  await writeAll(data, heldOut, (index) => `${second}_${index}`)
}

/** The same of pictures some of which have marks in place of a mask, in the forms that docs/data.md#weak-labels names. */
export async function writeMarked (data: string, { training, heldOut }: Marked): Promise<void> {
  const nameOf = (index: number): string => `training_${index}`
  const held = (index: number): string => `held_${index}`
  await writeAll(data, training, nameOf)
  await writeAll(data, heldOut, held)
  const lists = (part: 'points' | 'boxes'): Record<string, unknown> => Object.fromEntries(training.flatMap(({ marks }, index) =>
    marks == null || marks[part].length === 0 ? [] : [[nameOf(index), marks[part]]]))
  await writeJson(join(data, 'points.json'), lists('points'))
  await writeJson(join(data, 'boxes.json'), lists('boxes'))
  await writeJson(join(data, 'supervision.json'), { validation: heldOut.map((_, index) => held(index)) })
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
  const folders = new Set(['images', ...pictures.flatMap(({ kind }) => folderOf(kind) ?? [])])
  for (const folder of folders) await mkdir(join(data, folder), { recursive: true })
  await pMap(pictures, async (picture, index) => { await write(data, nameOf(index), picture) }, { concurrency: FILES_AT_ONCE })
}

/** Where what is drawn lies; undefined where nothing is. */
function folderOf (kind: Picture['kind']): string | undefined {
  switch (kind) {
    case undefined: return 'masks'
    case 'block': return 'blocks'
    case 'scribble': return 'scribbles'
    case 'points': case 'box': case 'none': return undefined
  }
}

/** Labels are written as they are: a mask that were made visible would have other labels than its neighbours. */
async function write (data: string, stem: string, { height, width, channels, image, mask, kind }: Picture): Promise<void> {
  await sharp(image, { raw: { height, width, channels } }).png().toFile(join(data, 'images', `${stem}.png`))
  const folder = folderOf(kind)
  if (folder != null) await writeFileSafely(join(data, folder, `${stem}.png`), await maskPng(mask, height, width))
}
