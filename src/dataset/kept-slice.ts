import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { lookOf } from './names/alike.ts'
import { scaledImage } from './transforms/fit.ts'
import type { Slice } from './types.ts'

/** Images of at most so many bytes stay as they are. */
const SMALL = 2 ** 17
const NO_IMAGE = new Uint8Array()
const IDENTITY = Uint8Array.from({ length: 256 }, (_, byte) => byte)

/** A slice without its mask, the mask in a few hundred bytes, and what its bytes become. */
interface Packed { readonly rest: Omit<Slice, 'mask'>, readonly bytes: Uint8Array, readonly table: Uint8Array | undefined }
const packedSlices = new WeakMap<Slice, Packed>()

/**
 * The same slice in a small part of its memory: its image at these sides alone, its mask packed, and unpacked whenever it is asked for.
 * A folder may hold hundreds of pictures or volumes of which each fills the memory of a small machine.
 */
export function keepSmall (slice: Slice, sides: readonly number[]): Slice {
  if (slice.image.length <= SMALL) return slice
  const { mask, ...rest } = slice
  const scaled = new Map(sides.map((side) => [side, scaledImage(slice, side)]))
  return unpacking({ rest: { ...rest, image: NO_IMAGE, scaled, look: lookOf(slice) }, bytes: packed(mask), table: undefined })
}

/** The same slice with another mask. */
export function remasked (slice: Slice, mask: Uint8Array): Slice {
  const kept = packedSlices.get(slice)
  return kept == null ? { ...slice, mask } : unpacking({ ...kept, bytes: packed(mask), table: undefined })
}

/** The same slice with every byte of its mask changed by a table. */
export function recoded (slice: Slice, table: Uint8Array): Slice {
  const kept = packedSlices.get(slice)
  if (kept == null) return { ...slice, mask: through(slice.mask, table) }
  return unpacking({ ...kept, table: through(kept.table ?? IDENTITY, table) })
}

/** The same slice with more that is known of its classes, where its mask comes from, or what it is for. */
export function withClasses (slice: Slice, classes: Pick<Slice, 'shows' | 'lacks' | 'corrected' | 'held'>): Slice {
  const kept = packedSlices.get(slice)
  return kept == null ? { ...slice, ...classes } : unpacking({ ...kept, rest: { ...kept.rest, ...classes } })
}

/** Masks are areas: the fastest level packs them nearly as well as the best. */
function packed (mask: Uint8Array): Uint8Array {
  return new Uint8Array(deflateRawSync(mask, { level: 1 }))
}

function through (bytes: Uint8Array, table: Uint8Array): Uint8Array {
  return bytes.map((byte) => table[byte]!)
}

function unpacking (kept: Packed): Slice {
  const { rest, bytes, table } = kept
  const length = rest.height * rest.width
  const slice = {
    ...rest,
    get mask () {
      // One piece, with room for zlib to see the end.
      const { buffer, byteOffset } = inflateRawSync(bytes, { chunkSize: length + 64 })
      const mask = new Uint8Array(buffer, byteOffset, length)
      return table == null ? mask : through(mask, table)
    }
  }
  packedSlices.set(slice, kept)
  return slice
}
