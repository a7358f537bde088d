import sharp, { type SharpOptions } from 'sharp'
import { InputError } from '../../../errors.ts'
import { checkSize, MAX_PIXELS, type Samples } from './samples.ts'

const OPTIONS: SharpOptions = { limitInputPixels: MAX_PIXELS, ignoreIcc: true, failOn: 'warning' }

/** Grey or RGB of a JPEG as stored: neither turned nor matched to a colour profile. @throws InputError for CMYK and damage */
export async function decodeJpeg (bytes: Buffer): Promise<Samples> {
  const { width, height, orientation, space, channels: count } = await sharp(bytes, { ...OPTIONS, limitInputPixels: false }).metadata()
  checkSize(width, height)
  if (space === 'cmyk' || count > 3) throw new InputError('the picture is in print colours (CMYK): store it as grey or RGB')
  return { ...await rawSamples(bytes, count === 1), lossy: true, ...orientation == null ? {} : { orientation } }
}

/** 8-bit grey or RGB of whatever libvips reads, without its colour management. */
export async function rawSamples (bytes: Buffer, grey: boolean): Promise<Samples> {
  const { data, info } = await sharp(bytes, OPTIONS).toColourspace(grey ? 'b-w' : 'srgb').raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { height: info.height, width: info.width, channels: info.channels, data: new Uint8Array(data), bits: 8 }
}
