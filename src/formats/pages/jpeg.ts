import sharp, { type SharpOptions } from 'sharp'
import { InputError } from '../../errors.ts'
import { checkSize, MAX_PIXELS, type Samples } from './samples.ts'

const OPTIONS: SharpOptions = { limitInputPixels: MAX_PIXELS, ignoreIcc: true, failOn: 'warning' }
/** ITU-T T.81, table B.1: the second byte of markers, all of which begin with 0xff. */
const [SCAN, LONE] = [0xda, [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]]
/** Beginnings of a frame; three numbers among them mean something else. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
const LS_FRAME = 0xf7
const END = Buffer.of(0xff, 0xd9)

/** Grey or RGB of a JPEG as stored: neither turned nor matched to a colour profile. @throws InputError for CMYK and damage */
export async function decodeJpeg (stored: Buffer): Promise<Samples> {
  const bytes = withoutStrayBytes(stored)
  const { width, height, orientation, space, channels: count } = await sharp(bytes, { ...OPTIONS, limitInputPixels: false }).metadata()
  checkSize(width, height)
  if (space === 'cmyk' || count > 3) throw new InputError('the picture is in print colours (CMYK): store it as grey or RGB')
  return { ...await rawSamples(bytes, count === 1), lossy: true, ...orientation == null ? {} : { orientation } }
}

/**
 * The same without bytes that belong to nothing between the segments of its header, and with an end: some devices write the one and
 * forget the other, and no pixel depends on them. @throws InputError for kinds of JPEG that are not read
 */
function withoutStrayBytes (bytes: Buffer): Buffer {
  const parts = [bytes.subarray(0, 2)]
  for (let at = 2; ;) {
    const start = nextMarker(bytes, at)
    const marker = bytes[start + 1]
    if (marker == null || start + 4 > bytes.length) return bytes
    if (marker === SCAN) return Buffer.concat([...parts, bytes.subarray(start), END])
    at = LONE.includes(marker) ? start + 2 : start + 2 + bytes.readUInt16BE(start + 2)
    checkFrame(marker, bytes[start + 4])
    parts.push(bytes.subarray(start, at))
  }
}

/** Where the next marker stands; any number of 0xff may come before it, and 0xff 0x00 is none. */
function nextMarker (bytes: Buffer, from: number): number {
  let at = bytes.indexOf(0xff, from)
  while (at >= 0 && (bytes[at + 1] === 0xff || bytes[at + 1] === 0)) at = bytes.indexOf(0xff, at + 1)
  return at < 0 ? bytes.length : at
}

function checkFrame (marker: number, bits = 8): void {
  if (marker === LS_FRAME) throw new InputError('the picture is JPEG-LS, which is not read: store it as PNG or TIFF')
  if (isFrame(marker) && bits !== 8) {
    throw new InputError(`the JPEG holds ${bits} bits a sample, and 8 are read: store it as PNG or TIFF, which keep all of them`)
  }
}

/** 8-bit grey or RGB of a page of whatever libvips reads, without its colour management. */
export async function rawSamples (bytes: Buffer, grey: boolean, page = 0): Promise<Samples> {
  const { data, info } = await sharp(bytes, { ...OPTIONS, page }).toColourspace(grey ? 'b-w' : 'srgb').raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { height: info.height, width: info.width, channels: info.channels, data: new Uint8Array(data), bits: 8 }
}
