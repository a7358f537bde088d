import { createInflateRaw, deflateSync } from 'node:zlib'
import { decode, type DecodedPng } from 'fast-png'
import { InputError } from '../../errors.ts'
import { DAMAGED } from './samples.ts'

/** Bytes of unpacked rows that are decoded at a time. */
const BAND_BYTES = 2 ** 23
const CHUNK_BYTES = 2 ** 20
/** Before the packed rows; behind them stands a sum that the decoder of whole pictures does not look at either. */
const ZLIB_HEADER = 2

export interface Rows {
  readonly width: number
  readonly height: number
  /** whole ones: samples of 8 or 16 bits */
  readonly bytesPerPixel: number
  /** packed rows, in pieces */
  readonly packed: readonly Uint8Array[]
  /** the same picture with so many rows, packed in one piece */
  readonly withRows: (height: number, packed: Uint8Array) => Uint8Array
}

/**
 * A large picture that is not interlaced, decoded band by band: at once it takes five times its size. The last row of a band stands
 * unfiltered above the next one, since filters look up. Throws InputError, or what the decoder throws, for a damaged one.
 */
export async function decodeInBands (rows: Rows, bandBytes = BAND_BYTES): Promise<DecodedPng> {
  const { width, height, bytesPerPixel, packed, withRows } = rows
  const stride = 1 + width * bytesPerPixel
  const most = Math.max(1, Math.floor(bandBytes / stride))
  const band = new Uint8Array(stride * (1 + most))
  let [done, filled] = [0, stride]
  let png: DecodedPng | undefined
  let data: DecodedPng['data'] | undefined
  const decodeBand = (): void => {
    const above = filled / stride - 1
    png = decode(withRows(1 + above, deflateSync(band.subarray(0, filled), { level: 0 })))
    const perRow = png.data.length / (1 + above)
    data ??= new (png.data.constructor as Uint8ArrayConstructor)(perRow * height)
    data.set(png.data.subarray(perRow), done * perRow)
    band.set(asStored(png.data.subarray(above * perRow)), 1)
    done += above
    filled = stride
  }
  for await (const chunk of unpacked(packed)) {
    for (let from = 0; from < chunk.length;) {
      const full = stride * (1 + Math.min(most, height - done))
      const piece = chunk.subarray(from, from + full - filled)
      if (piece.length === 0) break
      band.set(piece, filled)
      filled += piece.length
      from += piece.length
      if (filled === full) decodeBand()
    }
  }
  if (done < height) throw new InputError(DAMAGED)
  return { ...png!, data: data! }
}

async function * unpacked (packed: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES })
  let skip = ZLIB_HEADER
  for (const piece of packed) {
    inflate.write(piece.subarray(skip))
    skip -= Math.min(skip, piece.length)
  }
  inflate.end()
  yield * inflate as AsyncIterable<Buffer>
}

/** Bytes as in a file, where 16 bits begin with the high ones. */
function asStored (samples: DecodedPng['data']): Uint8Array {
  if (!(samples instanceof Uint16Array)) return new Uint8Array(samples)
  return Buffer.from(samples.slice().buffer).swap16()
}
