import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { decode, type DecodedPng } from 'fast-png'
import sharp from 'sharp'
import { InputError } from '../../errors.ts'
import { decodeInBands } from './png-bands.ts'
import { checkSize, DAMAGED, unpackBits, type Samples } from './samples.ts'

/** What the decoder needs: profiles, texts and what else hangs on a picture change no sample, and may be damaged. */
const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'])
const SIGNATURE = 8
/** Where IHDR says width, height, bits, colour type and interlacing. */
const AT = { width: 16, height: 20, bits: 24, type: 25, interlace: 28 } as const
const SAMPLES_PER_PIXEL: Readonly<Record<number, 1 | 2 | 3 | 4>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const INDEXED = 3
/** Pictures of more bytes are decoded in bands. */
const LARGE = 2 ** 24
/** First column and row, and steps, of the seven passes of an interlaced picture. */
const ADAM7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]] as const

/** Samples or palette indices of a PNG. @throws InputError, or what the decoder throws, for a damaged one */
export async function decodePng (bytes: Buffer): Promise<Samples> {
  const chunks = chunksOf(bytes)
  if (bytes.toString('latin1', 12, 16) !== 'IHDR' || chunks.at(-1)?.type !== 'IEND') throw new InputError(DAMAGED)
  const [width, height] = [bytes.readUInt32BE(AT.width), bytes.readUInt32BE(AT.height)]
  checkSize(width, height)
  const [bits, type] = [bytes[AT.bits]!, bytes[AT.type]!]
  const channels = SAMPLES_PER_PIXEL[type] ?? 1
  const { data, palette, transparency } = await pixelsOf(bytes, chunks, { width, height, channels })
  if (data.length !== width * height * channels) throw new InputError(DAMAGED)
  const orientation = chunks.some((chunk) => chunk.type === 'eXIf') ? (await sharp(bytes).metadata()).orientation : undefined
  const samples: Samples = {
    height,
    width,
    channels,
    data: data as Uint8Array | Uint16Array,
    bits,
    ...type === INDEXED ? { palette: palette ?? [] } : {},
    ...orientation == null ? {} : { orientation }
  }
  return transparency == null ? samples : withAlpha(samples, transparency)
}

async function pixelsOf (
  bytes: Buffer,
  chunks: readonly Chunk[],
  { width, height, channels }: { readonly width: number, readonly height: number, readonly channels: number }
): Promise<Pick<DecodedPng, 'data' | 'palette' | 'transparency'>> {
  const needed = chunks.filter(({ type }) => NEEDED.has(type))
  const bits = bytes[AT.bits]!
  const bytesPerPixel = bits / 8 * channels
  if (bits >= 8 && bytes[AT.interlace] === 0 && width * height * bytesPerPixel > LARGE) {
    const packed = needed.flatMap(({ type, body }) => type === 'IDAT' ? [body] : [])
    const withRows = (rows: number, body: Uint8Array): Buffer => withData(bytes, needed, { width, height: rows }, body)
    return await decodeInBands({ width, height, bytesPerPixel, packed, withRows })
  }
  const plain = Buffer.concat([bytes.subarray(0, SIGNATURE), ...needed.map(({ whole }) => whole)])
  if (bits >= 8) return decode(plain)
  if (bytes[AT.interlace] === 1) return decodeNarrowPasses(plain, needed, width, height)
  const png = decode(plain)
  return { ...png, data: unpackBits(png.data as Uint8Array, width * channels, height, bits) }
}

interface Chunk { readonly type: string, readonly body: Buffer, readonly whole: Buffer }

function chunksOf (bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = []
  for (let at = SIGNATURE; at + 12 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (end + 4 > bytes.length) throw new InputError(DAMAGED)
    if (NEEDED.has(type) && crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) throw new InputError(DAMAGED)
    chunks.push({ type, body: bytes.subarray(at + 8, end), whole: bytes.subarray(at, end + 4) })
    if (type === 'IEND') break
    at = end + 4
  }
  return chunks
}

/** fast-png 8.0.0 takes interlaced samples of less than a byte for bytes, so every pass is handed to it as a picture of its own. */
function decodeNarrowPasses (plain: Buffer, needed: readonly Chunk[], width: number, height: number): DecodedPng {
  const bits = plain[AT.bits]!
  const idat = needed.filter(({ type }) => type === 'IDAT')
  const raw = inflateSync(Buffer.concat(idat.map(({ body }) => body)), { maxOutputLength: 2 * width * height + 16 * height + 64 })
  const data = new Uint8Array(width * height)
  let png: DecodedPng | undefined
  let from = 0
  for (const [x0, y0, dx, dy] of ADAM7) {
    const [columns, rows] = [Math.ceil((width - x0) / dx), Math.ceil((height - y0) / dy)]
    if (columns <= 0 || rows <= 0) continue
    const end = from + rows * (1 + Math.ceil(columns * bits / 8))
    if (end > raw.length) throw new InputError(DAMAGED)
    png = decode(withData(plain, needed, { width: columns, height: rows }, deflateSync(raw.subarray(from, end), { level: 0 })))
    unpackBits(png.data as Uint8Array, columns, rows, bits).forEach((value, i) => {
      data[(y0 + dy * Math.floor(i / columns)) * width + x0 + dx * (i % columns)] = value
    })
    from = end
  }
  return { ...png!, data }
}

/** A picture of the same kind, not interlaced, with this size and these packed rows. */
function withData (
  bytes: Buffer,
  needed: readonly Chunk[],
  { width, height }: { readonly width: number, readonly height: number },
  packed: Uint8Array
): Buffer {
  const header = Buffer.from(bytes.subarray(AT.width, AT.width + 13))
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[AT.interlace - AT.width] = 0
  const others = needed.filter(({ type }) => type !== 'IHDR' && type !== 'IDAT' && type !== 'IEND')
  const parts = [bytes.subarray(0, SIGNATURE), makeChunk('IHDR', header), ...others.map(({ whole }) => whole), makeChunk('IDAT', packed)]
  return Buffer.concat([...parts, makeChunk('IEND', new Uint8Array())])
}

function makeChunk (type: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(body.length + 12)
  out.writeUInt32BE(body.length, 0)
  out.write(type, 4, 'latin1')
  out.set(body, 8)
  out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)), body.length + 8)
  return out
}

/** A value (grey or RGB) that stands for nothing becomes alpha 0. */
function withAlpha (samples: Samples, clear: Uint16Array): Samples {
  const { data, channels, bits } = samples
  const count = channels + 1
  const opaque = 2 ** bits - 1
  const out = new (data.constructor as Uint16ArrayConstructor)(data.length / channels * count)
  for (let pixel = 0; pixel < data.length / channels; pixel++) {
    let same = true
    for (let c = 0; c < channels; c++) {
      const value = data[pixel * channels + c]!
      out[pixel * count + c] = value
      same &&= value === clear[c]
    }
    out[pixel * count + channels] = same ? 0 : opaque
  }
  return { ...samples, channels: count as 2 | 4, data: out }
}
