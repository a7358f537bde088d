import { MAX_FRAME_BYTES } from '../shared/frames.ts'

/** Floats in a full chunk. */
export const CHUNK_FLOATS = MAX_FRAME_BYTES / 4

/** The chunks of a vector of `size` floats, from the schema alone: all full but the last. */
export function chunkRanges (size: number): { readonly begin: number, readonly end: number }[] {
  return Array.from({ length: Math.ceil(size / CHUNK_FLOATS) }, (_, index) => ({
    begin: index * CHUNK_FLOATS,
    end: Math.min((index + 1) * CHUNK_FLOATS, size)
  }))
}

/** Float32 little-endian. */
export function encodeChunk (values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true)
  return bytes
}

/** The inverse of encodeChunk; a trailing part of a number is left out. */
export function decodeChunk (bytes: Uint8Array): Float32Array {
  const values = new Float32Array(Math.floor(bytes.length / 4))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true)
  return values
}
