import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import type { Mode } from '../../../src/settings/model.ts'
import type { Children } from '../hospitals/children.ts'
import type { Hospital } from '../hospitals/hospitals.ts'

/** What a model drew on an image; the distance in pixels, null where truth or result is empty. */
interface Score { readonly dice: number, readonly hd95: number | null }

/** One image with what the models drew on it; bytes as base64. */
export interface ShotData extends Readonly<Record<Mode, Score & { readonly mask: string }>> {
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

/** An image and the outlines over it, as PNG data URIs of one size; each model's together with the truth's. */
interface Shot extends Readonly<Record<Mode | 'truth', string>> {
  readonly width: number
  readonly height: number
  readonly image: string
  readonly scores: Readonly<Record<Mode, Score>>
}

export interface Picture {
  readonly name: string
  readonly hd95: PictureData['hd95']
  readonly worst: Shot
  readonly typical: Shot
}

type Colour = readonly [number, number, number]

const TRUTH: Colour = [255, 193, 7]
const RESULT: Colour = [64, 224, 255]
/** Longer side of the pictures: sharp on a dense display, small in the file. */
const SIDE = 384
const LINE = 2

const WORKER = fileURLToPath(new URL(`./picture-worker${extname(import.meta.filename)}`, import.meta.url))

/** Runs the hospital's own model on one of its validation images in a process of its own. */
export async function drawPicture (children: Children, { name, home, data }: Hospital): Promise<Picture> {
  const worker = children.spawnScript(WORKER, [home, data], { env: { CONSILIUM_THREADS: '1' } })
  return await renderPicture(name, await children.runJson<PictureData>(worker, `the picture of ${name}`))
}

export async function renderPicture (name: string, { hd95, worst, typical }: PictureData): Promise<Picture> {
  return { name, hd95, worst: await renderShot(worst), typical: await renderShot(typical) }
}

async function renderShot (data: ShotData): Promise<Shot> {
  const scale = SIDE / Math.max(data.width, data.height)
  const [width, height] = [Math.round(data.width * scale), Math.round(data.height * scale)]
  const { channels } = data
  const image = await sharp(Buffer.from(data.image, 'base64'), { raw: { width: data.width, height: data.height, channels } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' }).png({ compressionLevel: 9 }).toBuffer()
  const outline = async (mask: string, colour: Colour): Promise<Uint8Array> =>
    outlinePixels(await enlargeMask(Buffer.from(mask, 'base64'), data, { width, height }), { width, height }, colour)
  const truth = await outline(data.truth, TRUTH)
  const overlay = async (pixels: Uint8Array): Promise<string> =>
    dataUri(await sharp(pixels, { raw: { width, height, channels: 4 } }).png({ palette: true, compressionLevel: 9 }).toBuffer())
  const both = async ({ mask }: { readonly mask: string }): Promise<string> => await overlay(laidOver(truth, await outline(mask, RESULT)))
  const { frozen, global, personal } = data
  return {
    width,
    height,
    image: dataUri(image),
    truth: await overlay(truth),
    frozen: await both(frozen),
    global: await both(global),
    personal: await both(personal),
    scores: { frozen, global, personal }
  }
}

/** RGBA pixels with the opaque ones of `above` over them. */
function laidOver (below: Uint8Array, above: Uint8Array): Uint8Array {
  const pixels = Uint8Array.from(below)
  for (let i = 0; i < above.length; i += 4) if (above[i + 3]! > 0) pixels.set(above.subarray(i, i + 4), i)
  return pixels
}

interface Size { readonly width: number, readonly height: number }

/** 0/1 at the new size, cut through the smoothly enlarged mask. */
async function enlargeMask (mask: Uint8Array, from: Size, to: Size): Promise<Uint8Array> {
  const grey = Buffer.from(mask.map((label) => label > 0 ? 255 : 0))
  const { data } = await sharp(grey, { raw: { width: from.width, height: from.height, channels: 1 } })
    .resize(to.width, to.height, { fit: 'fill', kernel: 'linear' }).extractChannel(0).raw().toBuffer({ resolveWithObject: true })
  return Uint8Array.from(data, (value) => value > 127 ? 1 : 0)
}

/** RGBA: the inner border of the mask in one colour, LINE pixels wide; everything else transparent. */
export function outlinePixels (mask: Uint8Array, { width, height }: Size, [red, green, blue]: Colour): Uint8Array {
  const at = (x: number, y: number): number => x < 0 || y < 0 || x >= width || y >= height ? 0 : mask[y * width + x]!
  const isBorder = (x: number, y: number): boolean => {
    for (let reach = 1; reach <= LINE; reach++) {
      if (at(x - reach, y) === 0 || at(x + reach, y) === 0 || at(x, y - reach) === 0 || at(x, y + reach) === 0) return true
    }
    return false
  }
  const pixels = new Uint8Array(4 * width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (at(x, y) === 1 && isBorder(x, y)) pixels.set([red, green, blue, 255], 4 * (y * width + x))
    }
  }
  return pixels
}

function dataUri (png: Buffer): string {
  return `data:image/png;base64,${png.toString('base64')}`
}
