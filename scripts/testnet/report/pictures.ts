import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drawShot } from '../../../src/dataset/index.ts'
import type { ScoredShot, ShotScore } from '../../../src/report/shots.ts'
import type { Mode } from '../../../src/settings/model.ts'
import type { Children } from '../hospitals/children.ts'
import type { Hospital } from '../hospitals/hospitals.ts'

/** One image with what the models drew on it; bytes as base64. */
export interface ShotData extends Readonly<Record<Mode, ShotScore & { readonly mask: string }>> {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly image: string
  readonly truth: string
}

/** What picture-worker.ts prints. */
export interface PictureData {
  /** Means over the validation images. */
  readonly hd95: Readonly<Record<Mode, number | null>>
  /** By the personalised model's Dice. */
  readonly worst: ShotData
  /** Of median size, chosen without looking at any result. */
  readonly typical: ShotData
}

export interface Picture {
  readonly name: string
  readonly hd95: PictureData['hd95']
  readonly worst: ScoredShot
  readonly typical: ScoredShot
}

const WORKER = fileURLToPath(new URL(`./picture-worker${extname(import.meta.filename)}`, import.meta.url))

/** Runs the hospital's own model on one of its validation images in a process of its own. */
export async function drawPicture (children: Children, { name, home, data }: Hospital): Promise<Picture> {
  const worker = children.spawnScript(WORKER, [home, data], { env: { CONSILIUM_THREADS: '1' } })
  return await renderPicture(name, await children.runJson<PictureData>(worker, `the picture of ${name}`))
}

export async function renderPicture (name: string, { hd95, worst, typical }: PictureData): Promise<Picture> {
  return { name, hd95, worst: await renderShot(worst), typical: await renderShot(typical) }
}

async function renderShot (data: ShotData): Promise<ScoredShot> {
  const { width, height, channels, frozen, global, personal } = data
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64')
  const results = { frozen: bytes(frozen.mask), global: bytes(global.mask), personal: bytes(personal.mask) }
  const shot = await drawShot({
    image: { width, height, channels, data: bytes(data.image) },
    masks: { width, height, truth: bytes(data.truth), results }
  })
  return { ...shot, scores: { frozen, global, personal } }
}
