import type { Coder } from './coder.ts'

/** Numbers that share a scale and an offset. */
export const BLOCK = 256
const HEADER_BYTES = 8

type Codes = Uint8Array | Uint16Array

/**
 * Unsigned integers in blocks of 256 with one float32 offset (the block's least number) and one float32 scale: an offset that all
 * numbers of a block share costs no precision. Block: offset, scale, codes, all little-endian.
 */
export function blockCoder (Type: typeof Uint8Array | typeof Uint16Array, maxChunkBytes: number): Coder {
  const width = Type.BYTES_PER_ELEMENT
  const levels = 2 ** (8 * width) - 1
  const blockBytes = HEADER_BYTES + width * BLOCK
  const bytesOf = (floats: number): number => width * floats + HEADER_BYTES * Math.ceil(floats / BLOCK)
  const encode = (values: Float32Array): Uint8Array => {
    const bytes = new Uint8Array(bytesOf(values.length))
    for (let begin = 0, at = 0; begin < values.length; begin += BLOCK, at += blockBytes) {
      const count = Math.min(BLOCK, values.length - begin)
      encodeBlock(values, begin, count, headerOf(bytes, at), new Type(bytes.buffer, at + HEADER_BYTES, count), levels)
    }
    return bytes
  }
  const chunkFloats = BLOCK * Math.floor(maxChunkBytes / blockBytes)
  const scratch = new Float32Array(chunkFloats)
  const decode = (bytes: Uint8Array, length: number): Float32Array => {
    const values = scratch.subarray(0, length)
    const aligned = bytes.byteOffset % 4 === 0 ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(bytes)
    for (let begin = 0, at = 0; begin < values.length; begin += BLOCK, at += blockBytes) {
      const count = Math.min(BLOCK, values.length - begin)
      const codes = new Type(aligned.buffer, aligned.byteOffset + at + HEADER_BYTES, count)
      decodeBlock(headerOf(aligned, at), codes, values, begin)
    }
    return values
  }
  return { bytesOf, chunkFloats, isExact: false, encode, decode }
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
