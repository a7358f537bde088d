import sharp, { type Metadata } from 'sharp'
import { InputError } from '../../errors.ts'
import { readCapped } from './file.ts'

const MAX_PIXELS = 8192 * 8192

/** A decoded picture before normalisation: height·width·channels, row-major. */
export interface Picture {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly data: Uint8Array | Uint16Array | Float32Array
}

/**
 * Decodes PNG, JPEG or TIFF without rescaling its values; alpha is dropped, EXIF orientation applied,
 * equal colour channels become one.
 *
 * @throws InputError whose message is a reason without a file name
 */
export async function readPicture (file: string): Promise<Picture> {
  const bytes = await readCapped(file)
  const metadata = await decode(() => sharp(bytes, { limitInputPixels: MAX_PIXELS }).metadata())
  if ((metadata.pages ?? 1) > 1) throw new InputError('the file holds several pages; store one file per slice, or a NIfTI volume')
  const { space, depth } = format(metadata)
  const { data, info } = await decode(() => sharp(bytes, { limitInputPixels: MAX_PIXELS })
    .autoOrient().removeAlpha().toColourspace(space).raw({ depth }).toBuffer({ resolveWithObject: true }))
  if (info.channels !== 1 && info.channels !== 3) throw new InputError('the picture is neither grey nor RGB')
  return mergeEqualChannels({ height: info.height, width: info.width, channels: info.channels, data: view(data, depth) })
}

type Depth = 'uchar' | 'ushort' | 'float'

/** Colour space and sample type in which sharp hands the values out unchanged. */
function format ({ depth, space, channels, hasAlpha }: Metadata): { space: string, depth: Depth } {
  const grey = channels - (hasAlpha ? 1 : 0) === 1
  if (depth === 'uchar') return { space: grey ? 'b-w' : 'srgb', depth }
  if (depth === 'ushort' && (space === 'grey16' || space === 'rgb16')) return { space, depth }
  if (grey) return { space: 'b-w', depth: 'float' }
  throw new InputError('the colour depth of the picture is not supported; store 8 or 16 bit')
}

function view (data: Buffer, depth: Depth): Picture['data'] {
  if (depth === 'uchar') return new Uint8Array(data)
  const copy = new Uint8Array(data).buffer
  return depth === 'ushort' ? new Uint16Array(copy) : new Float32Array(copy)
}

function mergeEqualChannels (picture: Picture): Picture {
  const { data, channels } = picture
  if (channels === 1) return picture
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return picture
  }
  return { ...picture, channels: 1, data: data.filter((_, i) => i % 3 === 0) }
}

async function decode<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && error.message.includes('pixel limit')) throw new InputError('the picture is larger than 8192×8192 pixels')
    throw new InputError('the picture cannot be decoded: it is damaged, truncated or of another format')
  }
}
