import sharp from 'sharp'
import { UNKNOWN } from '../labels/label-map.ts'
import { fitSlice } from '../transforms/fit.ts'
import type { Fitted, Slice } from '../types.ts'
import { drawNumber } from './digits.ts'
import { writeOutput } from './file.ts'
import { isOutline } from './outline.ts'

/** Side of a slice on the sheet, in pixels. */
export const TILE = 160
const CAPTION = 16
const MARGIN = 4
const MAX_TILES = 48
const MAX_COLUMNS = 8
/** By label: red, and then colours that the colour-blind tell apart (Okabe and Ito); what is not known is grey. */
const OUTLINES = [[255, 48, 48], [86, 180, 233], [240, 228, 66], [0, 158, 115], [204, 121, 167], [230, 159, 0]] as const
const NOT_KNOWN = [120, 120, 120] as const
const CAPTION_INK = [220, 220, 220] as const

type Colour = readonly [number, number, number]

/**
 * Writes a PNG grid of slices (at most 48, evenly chosen) with mask outlines; each is captioned with its number in the data
 * set and nothing else, so that no name can leak from a picture that is passed on.
 *
 * @throws InputError when the file cannot be written
 */
export async function contactSheet (slices: readonly Slice[], file: string): Promise<void> {
  const shown = pick(slices.length, MAX_TILES)
  const columns = Math.max(1, Math.min(MAX_COLUMNS, Math.ceil(Math.sqrt(shown.length * 1.5))))
  const sheet = new Sheet(columns, Math.max(1, Math.ceil(shown.length / columns)))
  for (const [place, index] of shown.entries()) sheet.put(place, index, await fitSlice(slices[index]!, TILE))
  await writeOutput(file, await sharp(sheet.data, { raw: { height: sheet.height, width: sheet.width, channels: 3 } }).png().toBuffer())
}

/** `limit` of the indices 0..count−1, spread evenly. */
function pick (count: number, limit: number): number[] {
  if (count <= limit) return Array.from({ length: count }, (_, i) => i)
  return Array.from({ length: limit }, (_, i) => Math.floor((i + 0.5) * count / limit))
}

class Sheet {
  readonly height: number
  readonly width: number
  readonly data: Uint8Array

  constructor (readonly columns: number, rows: number) {
    this.width = MARGIN + columns * (TILE + MARGIN)
    this.height = MARGIN + rows * (TILE + CAPTION + MARGIN)
    this.data = new Uint8Array(this.height * this.width * 3)
  }

  put (place: number, index: number, fitted: Fitted): void {
    const left = MARGIN + (place % this.columns) * (TILE + MARGIN)
    const top = MARGIN + Math.floor(place / this.columns) * (TILE + CAPTION + MARGIN)
    const { fittedHeight: height, fittedWidth: width, channels, image, mask } = fitted
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * channels
        const grey: Colour = [image[at]!, image[channels === 1 ? at : at + 1]!, image[channels === 1 ? at : at + 2]!]
        this.#set(left + x, top + y, isOutline(mask, x, y, width, height) ? colourOf(mask[y * width + x]!) : grey)
      }
    }
    drawNumber(index, left + 2, top + TILE + 3, 2, (x, y) => { this.#set(x, y, CAPTION_INK) })
  }

  #set (x: number, y: number, colour: Colour): void {
    this.data.set(colour, (y * this.width + x) * 3)
  }
}

function colourOf (label: number): Colour {
  return label === UNKNOWN ? NOT_KNOWN : OUTLINES[(label - 1) % OUTLINES.length]!
}
