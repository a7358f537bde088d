import type { Coder } from './coder.ts'
import { packSixBits, unpackSixBits } from './six-bits.ts'

/** Numbers that share a scale and an offset. */
export const BLOCK = 256
const HEADER_BYTES = 8

type Codes = Uint8Array | Uint16Array

/** How the codes of one block lie in its bytes. */
interface Layout {
  readonly levels: number
  readonly bytesOf: (codes: number) => number
  /** The block's codes to be filled in, and what writes them where they belong. */
  readonly write: (bytes: Uint8Array<ArrayBuffer>, at: number, count: number) => { readonly codes: Codes, readonly done: () => void }
  readonly read: (bytes: Uint8Array<ArrayBuffer>, at: number, count: number) => Codes
}

/** 8 or 16 bits: the codes lie there as they are. */
function plain (Type: typeof Uint8Array | typeof Uint16Array): Layout {
  const width = Type.BYTES_PER_ELEMENT
  return {
    levels: 2 ** (8 * width) - 1,
    bytesOf: (codes) => width * codes,
    write: (bytes, at, count) => ({ codes: new Type(bytes.buffer, bytes.byteOffset + at, count), done: () => {} }),
    read: (bytes, at, count) => new Type(bytes.buffer, bytes.byteOffset + at, count)
  }
}

function sixBits (): Layout {
  const scratch = new Uint8Array(BLOCK)
  return {
    levels: 63,
    bytesOf: (codes) => Math.ceil(codes * 6 / 8),
    write: (bytes, at, count) => {
      const codes = scratch.subarray(0, count)
      return { codes, done: () => { packSixBits(codes, bytes, at) } }
    },
    read: (bytes, at, count) => {
      const codes = scratch.subarray(0, count)
      unpackSixBits(bytes, at, codes)
      return codes
    }
  }
}

/**
 * Unsigned integers of 6, 8 or 16 bits in blocks of 256 with one float32 offset (the block's least number) and one float32 scale: an
 * offset that all numbers of a block share costs no precision. Block: offset, scale, codes, all little-endian.
 */
export function blockCoder (bits: 6 | 8 | 16, maxChunkBytes: number): Coder {
  const layout = bits === 6 ? sixBits() : plain(bits === 8 ? Uint8Array : Uint16Array)
  const blockBytes = HEADER_BYTES + layout.bytesOf(BLOCK)
  const bytesOf = (floats: number): number => Math.floor(floats / BLOCK) * blockBytes + restBytes(layout, floats % BLOCK)
  const encode = (values: Float32Array): Uint8Array => {
    const bytes = new Uint8Array(bytesOf(values.length))
    for (let begin = 0, at = 0; begin < values.length; begin += BLOCK, at += blockBytes) {
      const count = Math.min(BLOCK, values.length - begin)
      const { codes, done } = layout.write(bytes, at + HEADER_BYTES, count)
      encodeBlock(values, begin, count, headerOf(bytes, at), codes, layout.levels)
      done()
    }
    return bytes
  }
  const chunkFloats = BLOCK * Math.floor(maxChunkBytes / blockBytes)
  const scratch = new Float32Array(chunkFloats)
  const decode = (bytes: Uint8Array, length: number): Float32Array => {
    const values = scratch.subarray(0, length)
    const aligned = bytes.byteOffset % 4 === 0 ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(bytes)
    for (let begin = 0, at = 0; begin < values.length; begin += BLOCK, at += blockBytes) {
      const codes = layout.read(aligned, at + HEADER_BYTES, Math.min(BLOCK, values.length - begin))
      decodeBlock(headerOf(aligned, at), codes, values, begin)
    }
    return values
  }
  return { bytesOf, chunkFloats, isExact: false, encode, decode }
}

function restBytes ({ bytesOf }: Layout, floats: number): number {
  return floats === 0 ? 0 : HEADER_BYTES + bytesOf(floats)
}

function headerOf (bytes: Uint8Array, at: number): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset + at, 2)
}

function encodeBlock (values: Float32Array, begin: number, count: number, header: Float32Array, codes: Codes, levels: number): void {
  let least = values[begin]!
  let most = least
  for (let i = begin + 1; i < begin + count; i++) {
    const value = values[i]!
    if (value < least) least = value
    if (value > most) most = value
  }
  header[0] = least
  header[1] = (most - least) / levels
  const scale = header[1]
  const inverse = scale > 0 ? 1 / scale : 0
  for (let i = 0; i < count; i++) codes[i] = Math.min(levels, (values[begin + i]! - least) * inverse + 0.5)
  decodeBlock(header, codes, values, begin)
}

function decodeBlock (header: Float32Array, codes: Codes, values: Float32Array, begin: number): void {
  const offset = header[0]!
  const scale = header[1]!
  for (let i = 0; i < codes.length; i++) values[begin + i] = offset + scale * codes[i]!
}
