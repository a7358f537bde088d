import { InputError } from '../../errors.ts'
import { readCapped } from '../file.ts'
import { notRead } from '../known-formats.ts'
import { decodeBmp } from './bmp.ts'
import { decodeGif } from './gif.ts'
import { decodeJpeg } from './jpeg.ts'
import { decodeNpy, decodeNpz } from './npy.ts'
import { decodePng } from './png.ts'
import { DAMAGED, decoded, type Samples } from './samples.ts'

/** First bytes of every format: names lie, since many programs rename files instead of converting them. */
const FORMATS: readonly { readonly magic: string, readonly decode: (bytes: Buffer) => Samples[] | Promise<Samples[]> }[] = [
  { magic: '\x89PNG\r\n\x1a\n', decode: async (bytes) => [await decodePng(bytes)] },
  { magic: '\xff\xd8\xff', decode: async (bytes) => [await decodeJpeg(bytes)] },
  { magic: 'II*\0', decode: tiff },
  { magic: 'MM\0*', decode: tiff },
  { magic: 'II+\0', decode: tiff },
  { magic: 'MM\0+', decode: tiff },
  { magic: 'BM', decode: (bytes) => [decodeBmp(bytes)] },
  { magic: 'GIF8', decode: (bytes) => [decodeGif(bytes)] },
  { magic: '\x93NUMPY', decode: decodeNpy },
  { magic: 'PK\x03\x04', decode: decodeNpz }
]

/**
 * Every page of a PNG, JPEG, TIFF, BMP, GIF or NumPy file as stored, told apart by content. @throws InputError whose message is a
 * reason without a file name
 */
export async function readPages (file: string): Promise<Samples[]> {
  const bytes = await readCapped(file)
  const start = bytes.toString('latin1', 0, 8)
  const format = FORMATS.find(({ magic }) => start.startsWith(magic))
  if (format == null) throw new InputError(notRead(bytes, 'pages', DAMAGED))
  return await decoded(() => format.decode(bytes))
}

/** TIFF's decoder takes longest to load, and most folders hold none. */
async function tiff (bytes: Buffer): Promise<Samples[]> {
  const { decodeTiff } = await import('./tiff.ts')
  return await decodeTiff(bytes)
}
