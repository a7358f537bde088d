import { promisify } from 'node:util'
import { gunzip, inflate, type ZlibOptions } from 'node:zlib'

const MIN_CHUNK = 2 ** 20
/** Room in which zlib sees that nothing follows. */
const SLACK = 64
/** The last bytes of a gzip file are the number of bytes that it unpacks to, modulo 2³². */
const LENGTH_BYTES = 4

/**
 * Unpacks gzip in one piece where its own word of its length is true: pieces put together take twice the memory. Throws what zlib
 * throws.
 */
export async function gunzipWhole (packed: Uint8Array, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const end = packed.length - LENGTH_BYTES
  const stated = end < 0 ? 0 : new DataView(packed.buffer, packed.byteOffset).getUint32(end, true)
  return asArray(await promisify(gunzip)(packed, inOnePiece(stated, limit)))
}

/** The same of zlib data that should unpack to so many bytes. */
export async function inflateWhole (packed: Uint8Array, expected: number, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  return asArray(await promisify(inflate)(packed, inOnePiece(expected, limit)))
}

function inOnePiece (length: number, limit: number): ZlibOptions {
  return { maxOutputLength: limit, chunkSize: Math.max(MIN_CHUNK, Math.min(length, limit) + SLACK) }
}

/** A buffer's bytes as a plain array over the same memory: `slice` of a buffer does not copy. */
export function asArray ({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, length)
}

/** Bytes from where numbers of this width may be read in place; a copy where they may not, or are to be changed. */
export function aligned (
  bytes: Uint8Array<ArrayBuffer>,
  { start, length, width, change }: { readonly start: number, readonly length: number, readonly width: number, readonly change: boolean }
): Buffer<ArrayBuffer> {
  const inPlace = !change && (bytes.byteOffset + start) % width === 0
  const own = inPlace ? bytes.subarray(start, start + length) : Uint8Array.prototype.slice.call(bytes, start, start + length)
  return Buffer.from(own.buffer, own.byteOffset, length)
}
