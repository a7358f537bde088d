import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import type { Children } from '../hospitals/children.ts'
import type { Hospital } from '../hospitals/hospitals.ts'

/** What picture-worker.ts prints; bytes as base64. */
export interface PictureData {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly image: string
  readonly truth: string
  readonly frozen: { readonly mask: string, readonly dice: number }
  readonly personal: { readonly mask: string, readonly dice: number }
}

/** One hospital's image and the outlines over it, as PNG data URIs of one size. */
export interface Picture {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly image: string
  readonly truth: string
  readonly frozen: string
  readonly personal: string
  readonly dice: { readonly frozen: number, readonly personal: number }
}

type Colour = readonly [number, number, number]

const COLOURS = { truth: [255, 193, 7], frozen: [255, 82, 82], personal: [64, 224, 160] } as const
/** Longer side of the pictures: sharp on a dense display, small in the file. */
const SIDE = 384
const LINE = 2

const WORKER = fileURLToPath(new URL(`./picture-worker${extname(import.meta.filename)}`, import.meta.url))

/** Runs the hospital's own model on one of its validation images in a process of its own. */
export async function drawPicture (children: Children, { name, home, data }: Hospital): Promise<Picture> {
  const worker = children.spawnScript(WORKER, [home, data], { env: { CONSILIUM_THREADS: '1' } })
  return await renderPicture(name, await children.runJson<PictureData>(worker, `the picture of ${name}`))
}

export async function renderPicture (name: string, data: PictureData): Promise<Picture> {
  const scale = SIDE / Math.max(data.height, data.width)
  const [width, height] = [Math.round(data.width * scale), Math.round(data.height * scale)]
  const { channels } = data
  const image = await sharp(Buffer.from(data.image, 'base64'), { raw: { width: data.width, height: data.height, channels } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' }).png({ compressionLevel: 9 }).toBuffer()
  const outline = async (mask: string, colour: Colour): Promise<string> => {
    const large = await enlargeMask(Buffer.from(mask, 'base64'), data, { width, height })
    const pixels = outlinePixels(large, { width, height }, colour)
    return dataUri(await sharp(pixels, { raw: { width, height, channels: 4 } }).png({ palette: true, compressionLevel: 9 }).toBuffer())
  }
  return {
    name,
    width,
    height,
    image: dataUri(image),
    truth: await outline(data.truth, COLOURS.truth),
    frozen: await outline(data.frozen.mask, COLOURS.frozen),
    personal: await outline(data.personal.mask, COLOURS.personal),
    dice: { frozen: data.frozen.dice, personal: data.personal.dice }
  }
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
