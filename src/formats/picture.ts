import { InputError } from '../errors.ts'
import type { Voxels } from './nifti.ts'
import type { Samples } from './pages/samples.ts'

/** A decoded picture before normalisation: height·width·channels, row-major, never turned. */
export interface Picture {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly data: Voxels
  /** EXIF or TIFF orientation 2..8, which was not applied */
  readonly orientation?: number
  /** what had to be decided, each in a sentence without a name */
  readonly notes: readonly string[]
}

const ALPHA_LEFT_OUT = 'images with transparent parts: their stored colours are used, and transparency is left out'
const INVERTED = 'images stored inverted (0 is white): turned over, so that bright is bright'

/**
 * What a page shows: colours of a palette, the brightness of narrow and inverted samples; alpha left out, equal colour channels made
 * one. @throws InputError for a picture that is in its transparency alone
 */
export function pictureOf (page: Samples): Picture {
  const { height, width, orientation } = page
  const shown = page.palette == null ? page : fromPalette(page)
  const notes: string[] = []
  const hasAlpha = shown.channels === 2 || shown.channels === 4
  if (hasAlpha && isUneven(shown, shown.channels - 1)) {
    if (!Array.from({ length: shown.channels - 1 }, (_, c) => c).some((c) => isUneven(shown, c))) {
      throw new InputError('the picture is of one colour, and what it shows is in its transparency: store it as grey or RGB')
    }
    notes.push(ALPHA_LEFT_OUT)
  }
  const opaque = hasAlpha ? withoutAlpha(shown) : shown
  if (page.inverted === true) notes.push(INVERTED)
  const merged = mergeEqualChannels({ height, width, channels: opaque.channels as 1 | 3, data: toBrightness(opaque) })
  return { ...merged, ...orientation == null ? {} : { orientation }, notes }
}

function fromPalette ({ palette = [], data, ...page }: Samples): Samples {
  const channels = palette.some((colour) => colour.length > 3 && colour[3]! < 255) ? 4 : 3
  const out = new Uint8Array(data.length * channels)
  const lost = palette.length
  for (let i = 0; i < data.length; i++) {
    if (data[i]! >= lost) throw new InputError('the picture names colours that its palette lacks: it is damaged')
    const colour = palette[data[i]!]!
    for (let c = 0; c < channels; c++) out[i * channels + c] = colour[c] ?? 255
  }
  return { ...page, channels, data: out, bits: 8 }
}

function isUneven ({ data, channels }: Samples, channel: number): boolean {
  for (let i = channel; i < data.length; i += channels) if (data[i] !== data[channel]) return true
  return false
}

function withoutAlpha (page: Samples): Samples {
  const { data, channels } = page
  const kept = channels - 1
  const out = data.slice(0, data.length / channels * kept)
  for (let i = 0, to = 0; i < data.length; i += channels) for (let c = 0; c < kept; c++) out[to++] = data[i + c]!
  return { ...page, channels: kept as 1 | 3, data: out }
}

/** Samples of fewer than 8 bits fill the range of 8; where 0 is white, the scale is turned over. */
function toBrightness ({ data, bits, inverted = false }: Samples): Voxels {
  if (bits >= 8 && !inverted) return data
  const [top, scale] = [2 ** bits - 1, bits < 8 ? 255 / (2 ** bits - 1) : 1]
  if (data instanceof Uint8Array || data instanceof Uint16Array) return data.map((value) => (inverted ? top - value : value) * scale)
  // Signed and floating-point numbers have no white to count from.
  return data.map((value) => -value)
}

function mergeEqualChannels (picture: Omit<Picture, 'notes'>): Omit<Picture, 'notes'> {
  const { data, channels } = picture
  if (channels === 1) return picture
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return picture
  }
  return { ...picture, channels: 1, data: firstOfThree(data) }
}

function firstOfThree (data: Voxels): Voxels {
  const out = data.slice(0, data.length / 3)
  for (let i = 0; i < out.length; i++) out[i] = data[3 * i]!
  return out
}
