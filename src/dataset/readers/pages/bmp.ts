import { InputError } from '../../../errors.ts'
import { checkSize, DAMAGED, unpackBits, type Samples } from './samples.ts'

/** Where a BMP says what it is: all numbers are little-endian. */
const AT = { pixels: 10, header: 14, width: 18, height: 22, bits: 28, compression: 30, colours: 46, masks: 54 } as const
const RGB = 0
const BITFIELDS = [3, 6]
/** Blue, green, red, and where there is a mask for it alpha, as nearly every program writes them. */
const USUAL_MASKS = [0x00ff0000, 0x0000ff00, 0x000000ff]

/** Indices or RGB of an uncompressed BMP of 1, 4, 8, 24 or 32 bits. The packages that read BMP lose the indices. @throws InputError */
export function decodeBmp (bytes: Buffer): Samples {
  if (bytes.length < 54 || bytes.readUInt32LE(AT.header) < 40) throw new InputError(DAMAGED)
  const [width, signed] = [bytes.readInt32LE(AT.width), bytes.readInt32LE(AT.height)]
  const height = Math.abs(signed)
  checkSize(width, height)
  const bits = bytes.readUInt16LE(AT.bits)
  checkKind(bytes, bits)
  const stride = Math.ceil(width * bits / 32) * 4
  const start = bytes.readUInt32LE(AT.pixels)
  if (start + stride * height > bytes.length) throw new InputError(DAMAGED)
  // A positive height means that the last row comes first.
  const row = (y: number): Buffer => {
    const at = start + stride * (signed > 0 ? height - 1 - y : y)
    return bytes.subarray(at, at + stride)
  }
  if (bits <= 8) return { height, width, channels: 1, bits, palette: paletteOf(bytes, bits), data: indices(row, width, height, bits) }
  return { height, width, channels: 3, bits: 8, data: colours(row, width, height, bits / 8) }
}

function checkKind (bytes: Buffer, bits: number): void {
  const compression = bytes.readUInt32LE(AT.compression)
  const usual = bits === 32 && BITFIELDS.includes(compression) &&
    USUAL_MASKS.every((mask, i) => bytes.readUInt32LE(AT.masks + 4 * i) === mask)
  if (![1, 4, 8, 24, 32].includes(bits) || (compression !== RGB && !usual)) {
    throw new InputError('the BMP is compressed or of unusual depth: store it as PNG')
  }
}

function paletteOf (bytes: Buffer, bits: number): number[][] {
  const at = AT.header + bytes.readUInt32LE(AT.header)
  const count = Math.min(bytes.readUInt32LE(AT.colours) || 2 ** bits, 256)
  if (at + 4 * count > bytes.length) throw new InputError(DAMAGED)
  return Array.from({ length: count }, (_, i) => [2, 1, 0].map((c) => bytes[at + 4 * i + c]!))
}

function indices (row: (y: number) => Buffer, width: number, height: number, bits: number): Uint8Array {
  const data = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) data.set(bits === 8 ? row(y).subarray(0, width) : unpackBits(row(y), width, 1, bits), y * width)
  return data
}

/** Alpha is left out: it is rarely meant, and often 0 everywhere. */
function colours (row: (y: number) => Buffer, width: number, height: number, step: number): Uint8Array {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    const line = row(y)
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = line[x * step + 2 - c]!
    }
  }
  return data
}
