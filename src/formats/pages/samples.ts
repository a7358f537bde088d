import { InputError } from '../../errors.ts'
import type { Voxels } from '../nifti.ts'

/** More pixels than this are refused before they are decoded. */
export const MAX_PIXELS = 8192 * 8192

/** A page of a picture as it stands in its file: nothing is scaled, turned, inverted or coloured. */
export interface Samples {
  readonly height: number
  readonly width: number
  /** grey or index; grey and alpha; RGB; RGB and alpha */
  readonly channels: 1 | 2 | 3 | 4
  /** height·width·channels, row-major */
  readonly data: Voxels
  /** bits of a sample in the file */
  readonly bits: number
  /** RGB or RGBA, 0..255, of every index */
  readonly palette?: readonly (readonly number[])[]
  /** EXIF or TIFF orientation 2..8 */
  readonly orientation?: number
  /** 0 is white (TIFF's MinIsWhite) */
  readonly inverted?: boolean
  /** JPEG: values are near those that were stored, not equal */
  readonly lossy?: boolean
}

export const DAMAGED = 'the picture cannot be decoded: it is damaged, truncated or of another format'

/** @throws InputError for sides that no picture has */
export function checkSize (width: number, height: number): void {
  if (!(width >= 1 && height >= 1)) throw new InputError(DAMAGED)
  if (width * height > MAX_PIXELS) throw new InputError('the picture is larger than 8192×8192 pixels')
}

/** What a decoder gives, its errors as one sentence. @throws InputError whose message is a reason without a file name */
export async function decoded<T> (work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(DAMAGED)
  }
}

/** One sample a byte, from rows of `count` samples of 1, 2 or 4 bits that begin on whole bytes. */
export function unpackBits (packed: Uint8Array, count: number, rows: number, bits: number): Uint8Array {
  const stride = Math.ceil(count * bits / 8)
  if (packed.length < stride * rows) throw new InputError(DAMAGED)
  const out = new Uint8Array(count * rows)
  const mask = (1 << bits) - 1
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < count; i++) {
      out[row * count + i] = (packed[row * stride + (i * bits >> 3)]! >> (8 - bits - (i * bits & 7))) & mask
    }
  }
  return out
}
