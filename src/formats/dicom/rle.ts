import { InputError } from '../../errors.ts'

const HEADER = 64
const MOST_SEGMENTS = 15
const DAMAGED = 'the packed pixels (RLE) are damaged or truncated'

/** A frame packed with RLE (PS3.5 annex G): planes of bytes, the highest byte of each sample first; back to samples, the lowest first. */
export function unpackRle (packed: Uint8Array, pixels: number, samples: number, width: number): Uint8Array<ArrayBuffer> {
  if (packed.length < HEADER) throw new InputError(DAMAGED)
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length)
  const count = view.getUint32(0, true)
  if (count !== samples * width || count > MOST_SEGMENTS) throw new InputError(DAMAGED)
  const out = new Uint8Array(pixels * samples * width)
  for (let segment = 0; segment < count; segment++) {
    const [sample, byte] = [Math.floor(segment / width), width - 1 - segment % width]
    const start = view.getUint32(4 + 4 * segment, true)
    const end = segment + 1 < count ? view.getUint32(8 + 4 * segment, true) : packed.length
    if (start > end || end > packed.length) throw new InputError(DAMAGED)
    unpackBits(packed.subarray(start, end), out, { first: sample * width + byte, step: samples * width, pixels })
  }
  return out
}

interface Into { readonly first: number, readonly step: number, readonly pixels: number }

/** PackBits: a run of so many bytes as they are, or one byte so many times. */
function unpackBits (packed: Uint8Array, out: Uint8Array, { first, step, pixels }: Into): void {
  let [at, done] = [0, 0]
  while (done < pixels) {
    if (at >= packed.length) throw new InputError(DAMAGED)
    const head = packed[at++]!
    if (head === 128) continue
    const isRun = head > 128
    const length = Math.min(isRun ? 257 - head : head + 1, pixels - done)
    if (at + (isRun ? 1 : length) > packed.length) throw new InputError(DAMAGED)
    for (let i = 0; i < length; i++) out[first + step * (done + i)] = packed[isRun ? at : at + i]!
    at += isRun ? 1 : length
    done += length
  }
}
