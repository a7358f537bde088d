import { InputError } from '../../errors.ts'
import { readRuns } from './bmp-runs.ts'
import { checkSize, DAMAGED, unpackBits, type Samples } from './samples.ts'

/** Where a BMP says what it is: all numbers are little-endian. */
const AT = { pixels: 10, header: 14, width: 18, height: 22, bits: 28, compression: 30, colours: 46, masks: 54 } as const
/** OS/2 wrote a header of 12 bytes: sides and bits in 16 bit each, three bytes a colour. */
const CORE = { length: 12, width: 18, height: 20, bits: 24, pixels: 26 } as const
const [RGB, RUNS_OF_8, RUNS_OF_4, BITFIELDS, ALPHA_BITFIELDS] = [0, 1, 2, 3, 6]
const DEPTHS = [1, 4, 8, 16, 24, 32]
/** Bits of red, green and blue in 16 and in 32 bit where nothing is said. */
const USUAL_MASKS: Readonly<Record<number, readonly number[]>> = { 16: [0x7c00, 0x03e0, 0x001f], 32: [0xff0000, 0x00ff00, 0x0000ff] }

interface Head {
  readonly width: number
  readonly height: number
  readonly topDown: boolean
  readonly bits: number
  readonly compression: number
  readonly start: number
  /** where its colours begin, how many there may be, and bytes of each */
  readonly colours: { readonly at: number, readonly count: number, readonly step: number }
}

/** Indices or RGB of a BMP. The packages that read BMP lose the indices. @throws InputError for damage and pictures within the BMP */
export function decodeBmp (bytes: Buffer): Samples {
  const head = headOf(bytes)
  const { width, height, topDown, bits, compression, start } = head
  checkSize(width, height)
  if (!DEPTHS.includes(bits) || ![RGB, RUNS_OF_8, RUNS_OF_4, BITFIELDS, ALPHA_BITFIELDS].includes(compression)) {
    throw new InputError('the BMP holds a picture of another format or of unusual depth: store it as PNG')
  }
  if (compression === RUNS_OF_8 || compression === RUNS_OF_4) {
    const data = readRuns(bytes.subarray(start), width, height, compression === RUNS_OF_4)
    return { height, width, channels: 1, bits, palette: paletteOf(bytes, head), data }
  }
  const stride = Math.ceil(width * bits / 32) * 4
  if (start + stride * height > bytes.length) throw new InputError(DAMAGED)
  const row = (y: number): Buffer => {
    const at = start + stride * (topDown ? y : height - 1 - y)
    return bytes.subarray(at, at + stride)
  }
  if (bits <= 8) return { height, width, channels: 1, bits, palette: paletteOf(bytes, head), data: indices(row, width, height, bits) }
  const masks = compression === RGB ? USUAL_MASKS[bits] : [0, 1, 2].map((at) => bytes.readUInt32LE(AT.masks + 4 * at))
  const data = masks == null || String(masks) === String(USUAL_MASKS[32])
    ? whole(row, width, height, bits / 8)
    : masked(row, width, height, { step: bits / 8, masks })
  return { height, width, channels: 3, bits: 8, data }
}

function headOf (bytes: Buffer): Head {
  if (bytes.length < CORE.pixels) throw new InputError(DAMAGED)
  const [start, length] = [bytes.readUInt32LE(AT.pixels), bytes.readUInt32LE(AT.header)]
  if (length === CORE.length) {
    const bits = bytes.readUInt16LE(CORE.bits)
    const sides = { width: bytes.readUInt16LE(CORE.width), height: bytes.readUInt16LE(CORE.height) }
    return { ...sides, topDown: false, bits, compression: RGB, start, colours: { at: CORE.pixels, count: 2 ** bits, step: 3 } }
  }
  if (bytes.length < 54 || length < 40) throw new InputError(DAMAGED)
  const [bits, signed] = [bytes.readUInt16LE(AT.bits), bytes.readInt32LE(AT.height)]
  return {
    width: bytes.readInt32LE(AT.width),
    height: Math.abs(signed),
    // A positive height means that the last row comes first.
    topDown: signed < 0,
    bits,
    compression: bytes.readUInt32LE(AT.compression),
    start,
    colours: { at: AT.header + length, count: bytes.readUInt32LE(AT.colours) || 2 ** bits, step: 4 }
  }
}

function paletteOf (bytes: Buffer, { colours: { at, count, step }, start }: Head): number[][] {
  const there = Math.min(count, 256, Math.floor((start - at) / step))
  if (!(there >= 1) || at + step * there > bytes.length) throw new InputError(DAMAGED)
  return Array.from({ length: there }, (_, i) => [2, 1, 0].map((c) => bytes[at + step * i + c]!))
}

function indices (row: (y: number) => Buffer, width: number, height: number, bits: number): Uint8Array {
  const data = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) data.set(bits === 8 ? row(y).subarray(0, width) : unpackBits(row(y), width, 1, bits), y * width)
  return data
}

/** Alpha is left out: it is rarely meant, and often 0 everywhere. */
function whole (row: (y: number) => Buffer, width: number, height: number, step: number): Uint8Array {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    const line = row(y)
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = line[x * step + 2 - c]!
    }
  }
  return data
}

interface Masked { readonly step: number, readonly masks: readonly number[] }

/** Colours of any bits of a number, widened to 8. */
function masked (row: (y: number) => Buffer, width: number, height: number, { step, masks }: Masked): Uint8Array {
  const data = new Uint8Array(width * height * 3)
  const parts = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask)
    return { shift, top: Math.max(1, mask >>> shift) }
  })
  for (let y = 0; y < height; y++) {
    const line = row(y)
    for (let x = 0; x < width; x++) {
      const value = line.readUIntLE(x * step, step)
      parts.forEach(({ shift, top }, c) => { data[(y * width + x) * 3 + c] = Math.floor((value >>> shift & top) * 255 / top) })
    }
  }
  return data
}
