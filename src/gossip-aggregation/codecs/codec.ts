import { blockCoder } from './codec-blocks.ts'
import { halfCoder } from './codec-half.ts'
import type { Coder } from './coder.ts'

/** How a vector travels, coarse to fine. */
export const CODECS = ['q6', 'q8', 'f16', 'q16', 'f32'] as const
export type Codec = typeof CODECS[number]

/** No chunk is larger (docs/spec/gossip.md#codecs). */
const MAX_CHUNK_BYTES = 262_144

if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) throw new Error('adapters travel little-endian: this machine is not')

const plainCoder: Coder = {
  bytesOf: (floats) => 4 * floats,
  chunkFloats: MAX_CHUNK_BYTES / 4,
  isExact: true,
  encode: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  decode: (bytes, count) => {
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
    return new Float32Array(aligned.buffer, aligned.byteOffset, count)
  }
}

const CODERS: Readonly<Record<Codec, Coder>> = {
  q6: blockCoder(6, MAX_CHUNK_BYTES),
  q8: blockCoder(8, MAX_CHUNK_BYTES),
  f16: halfCoder(MAX_CHUNK_BYTES),
  q16: blockCoder(16, MAX_CHUNK_BYTES),
  f32: plainCoder
}

export interface Chunk {
  readonly begin: number
  readonly end: number
  readonly bytes: number
}

export function coderOf (codec: Codec): Coder {
  return CODERS[codec]
}

/** The chunks of a vector of `size` floats, from schema and codec alone: all full but the last. */
export function chunksOf (size: number, codec: Codec): Chunk[] {
  const { chunkFloats, bytesOf } = CODERS[codec]
  return Array.from({ length: Math.ceil(size / chunkFloats) }, (_, index) => {
    const begin = index * chunkFloats
    const end = Math.min(begin + chunkFloats, size)
    return { begin, end, bytes: bytesOf(end - begin) }
  })
}

/** Of two, the one that keeps more. */
export function finer (one: Codec, other: Codec): Codec {
  return CODECS.indexOf(one) >= CODECS.indexOf(other) ? one : other
}
