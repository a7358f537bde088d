import { InputError } from '../../errors.ts'
import { decodeJpeg } from '../pages/jpeg.ts'

/** What a frame looks like by the header of its file. */
export interface Layout {
  readonly rows: number
  readonly columns: number
  readonly samples: number
  /** of a sample */
  readonly bytes: 1 | 2 | 4
  readonly photometric: string
}

/** Samples of a frame one behind the other, the lowest byte first; `colour`: already red, green and blue. */
interface Decoded { readonly bytes: Uint8Array<ArrayBuffer>, readonly colour?: boolean }

type Decode = (packed: Uint8Array<ArrayBuffer>, layout: Layout) => Promise<Decoded>

const JPEG = '1.2.840.10008.1.2.4.'
const DECODERS: Readonly<Record<string, Decode>> = {
  [`${JPEG}50`]: baseline,
  [`${JPEG}51`]: baseline,
  [`${JPEG}57`]: lossless,
  [`${JPEG}70`]: lossless,
  [`${JPEG}80`]: jpegLs,
  [`${JPEG}81`]: jpegLs,
  [`${JPEG}90`]: jpeg2000,
  [`${JPEG}91`]: jpeg2000,
  [`${JPEG}201`]: jpeg2000,
  [`${JPEG}202`]: jpeg2000,
  [`${JPEG}203`]: jpeg2000
}
const DAMAGED = 'the packed pixels are damaged or truncated'

/** The decoder of a way of packing. @throws InputError for ways that are not read */
export function decoderOf (syntax: string): Decode {
  const decode = DECODERS[syntax]
  if (decode == null) {
    const way = /^[\d.]{1,64}$/.test(syntax) ? syntax : 'unnamed'
    throw new InputError(`the pixels are packed in a way that is not read (transfer syntax ${way}): export them unpacked or in JPEG 2000`)
  }
  return async (packed, layout) => {
    const decoded = await decode(packed, layout).catch((error: unknown) => {
      throw error instanceof InputError ? error : new InputError(DAMAGED)
    })
    if (decoded.bytes.length !== layout.rows * layout.columns * layout.samples * layout.bytes) throw new InputError(DAMAGED)
    return decoded
  }
}

async function baseline (packed: Uint8Array<ArrayBuffer>, { photometric, samples, bytes }: Layout): Promise<Decoded> {
  if (bytes !== 1 || sampleBits(packed) > 8) {
    throw new InputError('the pixels are JPEG of 12 bit with loss, which is not read: export them unpacked or in JPEG 2000')
  }
  const stored = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  const page = await decodeJpeg(photometric === 'RGB' ? asStored(stored) : stored)
  if (page.channels !== samples) throw new InputError(DAMAGED)
  return { bytes: page.data as Uint8Array<ArrayBuffer>, colour: true }
}

/** ITU-T T.81: the byte behind the length of a frame header. */
function sampleBits (packed: Uint8Array): number {
  for (let at = 2; at + 4 < packed.length && packed[at] === 0xff;) {
    const marker = packed[at + 1]!
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return packed[at + 4]!
    at += 2 + (packed[at + 2]! << 8 | packed[at + 3]!)
  }
  return 8
}

/** Adobe's mark that says: the three components are red, green and blue; decoders take them for brightness and colour without it. */
const ADOBE = Buffer.from('ffee000e41646f62650064000000000000', 'hex').subarray(0, 16)

function asStored (jpeg: Buffer): Buffer {
  if (jpeg.includes('Adobe', 0, 'latin1') || jpeg.includes('JFIF', 0, 'latin1')) return jpeg
  return Buffer.concat([jpeg.subarray(0, 2), ADOBE, jpeg.subarray(2)])
}

async function lossless (packed: Uint8Array<ArrayBuffer>, { bytes }: Layout): Promise<Decoded> {
  const { Decoder } = await import('jpeg-lossless-decoder-js')
  const own = packed.slice()
  return { bytes: new Uint8Array(new Decoder(null, bytes).decompress(own.buffer, 0, own.length)), colour: true }
}

/** A codec tells how far it is, and writes into what it is given. */
function quiet (): { print: () => void, printErr: () => void } {
  return { print: () => {}, printErr: () => {} }
}

/** Codecs that were loaded; one that failed may be in disorder, and is loaded anew. */
const loaded = new Map<string, Promise<new () => WasmDecoder>>()

async function decodeWith (name: string, load: () => Promise<new () => WasmDecoder>, packed: Uint8Array, layout: Layout): Promise<Decoded> {
  const codec = loaded.get(name) ?? load()
  loaded.set(name, codec)
  try {
    return withWasm(new (await codec)(), packed, layout)
  } catch (error) {
    loaded.delete(name)
    throw error
  }
}

async function jpegLs (packed: Uint8Array<ArrayBuffer>, layout: Layout): Promise<Decoded> {
  return await decodeWith('jpeg-ls', async () => {
    const { default: load } = await import('@cornerstonejs/codec-charls/decode')
    return (await load(quiet())).JpegLSDecoder
  }, packed, layout)
}

async function jpeg2000 (packed: Uint8Array<ArrayBuffer>, layout: Layout): Promise<Decoded> {
  const decoded = await decodeWith('jpeg-2000', async () => {
    const { default: load } = await import('@cornerstonejs/codec-openjpeg/decode')
    return (await load(quiet())).J2KDecoder
  }, packed, layout)
  return { ...decoded, colour: true }
}

function withWasm (decoder: WasmDecoder, packed: Uint8Array, { rows, columns, samples, bytes, photometric }: Layout): Decoded {
  try {
    decoder.getEncodedBuffer(packed.length).set(packed)
    decoder.decode()
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo()
    const fits = width === columns && height === rows && componentCount === samples && Math.ceil(bitsPerSample / 8) <= bytes
    if (!fits) throw new InputError('the packed pixels have another size than their header says: the file is damaged')
    const found = decoder.getDecodedBuffer()
    const own = new Uint8Array(found)
    return { bytes: widened(own, bitsPerSample > 8 ? 2 : 1, bytes), colour: photometric === 'RGB' }
  } finally {
    decoder.delete()
  }
}

/** Samples of a byte in as many as the header says. */
function widened (data: Uint8Array<ArrayBuffer>, from: number, to: number): Uint8Array<ArrayBuffer> {
  if (from === to) return data
  const out = new Uint8Array(data.length / from * to)
  for (let i = 0; i < data.length / from; i++) for (let b = 0; b < from; b++) out[i * to + b] = data[i * from + b]!
  return out
}
