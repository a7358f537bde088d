import sharp from 'sharp'
import { isForeground } from '../labels/label-book.ts'

type Colour = readonly [number, number, number]

interface Size { readonly width: number, readonly height: number }

/** A slice as it is shown, and labels over it, which may have another size; all row-major. */
interface ShotInit<Name extends string> {
  readonly image: Size & { readonly channels: 1 | 3, readonly data: Uint8Array }
  readonly masks: Size & { readonly truth: Uint8Array, readonly results: Readonly<Record<Name, Uint8Array>> }
}

/** An image, and the outlines over it, as PNG data URIs of one size; each result's together with the truth's. */
type Shot<Name extends string> = Size & { readonly image: string } & Readonly<Record<Name, string>>

const TRUTH: Colour = [255, 193, 7]
const RESULT: Colour = [64, 224, 255]
/** Longer side of the pictures: sharp on a dense display, small in the file. */
const SIDE = 384
const LINE = 2

/** No text is drawn, and no name is in the picture. */
export async function drawShot<Name extends string> ({ image, masks }: ShotInit<Name>): Promise<Shot<Name>> {
  const scale = SIDE / Math.max(masks.width, masks.height)
  const size = { width: Math.max(1, Math.round(masks.width * scale)), height: Math.max(1, Math.round(masks.height * scale)) }
  const { data, width, height, channels } = image
  const drawn = await sharp(data, { raw: { width, height, channels } })
    .resize(size.width, size.height, { fit: 'fill', kernel: 'cubic' }).png({ compressionLevel: 9 }).toBuffer()
  const outline = async (mask: Uint8Array, colour: Colour): Promise<Uint8Array> => await outlines(mask, masks, size, colour)
  const overlay = async (pixels: Uint8Array): Promise<string> =>
    dataUri(await sharp(pixels, { raw: { ...size, channels: 4 } }).png({ palette: true, compressionLevel: 9 }).toBuffer())
  const truth = await outline(masks.truth, TRUTH)
  const results: [string, string][] = []
  for (const [name, mask] of Object.entries<Uint8Array>(masks.results)) {
    results.push([name, await overlay(laidOver(truth, await outline(mask, RESULT)))])
  }
  return { ...size, image: dataUri(drawn), ...Object.fromEntries(results) } as Shot<Name>
}

/** Of each label of its own, at the new size. */
async function outlines (mask: Uint8Array, from: Size, to: Size, colour: Colour): Promise<Uint8Array> {
  let pixels = new Uint8Array(4 * to.width * to.height)
  for (const label of [...new Set(mask)].filter(isForeground).sort((a, b) => a - b)) {
    const own = await enlarged(mask.map((each) => each === label ? 1 : 0), from, to)
    pixels = laidOver(pixels, outlinePixels(own, to, colour))
  }
  return pixels
}

/** RGBA pixels with the opaque ones of `above` over them. */
function laidOver (below: Uint8Array, above: Uint8Array): Uint8Array<ArrayBuffer> {
  const pixels = Uint8Array.from(below)
  for (let i = 0; i < above.length; i += 4) if (above[i + 3]! > 0) pixels.set(above.subarray(i, i + 4), i)
  return pixels
}

/** 0/1 at the new size, cut through the smoothly enlarged mask. */
async function enlarged (mask: Uint8Array, from: Size, to: Size): Promise<Uint8Array> {
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
