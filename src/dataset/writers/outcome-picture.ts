import sharp from 'sharp'
import { resizeLabels } from '../transforms/resize.ts'
import type { Slice } from '../types.ts'
import { writeOutput } from './file.ts'
import { isOutline } from './outline.ts'

/** Small slices are enlarged until their longer side has about as many pixels. */
const LONGER_SIDE = 512
const GAP = 4
/** Told apart by colour-blind people, too (Okabe and Ito). */
const TRUTH = [86, 180, 233] as const
const RESULT = [230, 159, 0] as const
const BOTH = [255, 255, 255] as const

/**
 * Writes a PNG of a slice, and beside it the same with the outlines of its truth (blue) and of a result (orange; white where they meet),
 * with no text at all. @throws InputError when the file cannot be written
 */
export async function writeOutcomePicture (file: string, slice: Slice, result: Uint8Array): Promise<void> {
  const scale = Math.max(1, Math.round(LONGER_SIDE / Math.max(slice.height, slice.width)))
  const [height, width] = [slice.height * scale, slice.width * scale]
  const [truth, found] = [slice.mask, result].map((mask) => resizeLabels(mask, slice, height, width)) as [Uint8Array, Uint8Array]
  const whole = 2 * width + GAP
  const out = new Uint8Array(height * whole * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (Math.floor(y / scale) * slice.width + Math.floor(x / scale)) * slice.channels
      const pixel = [0, 1, 2].map((c) => slice.image[slice.channels === 1 ? at : at + c]!)
      out.set(pixel, (y * whole + x) * 3)
      const [isTruth, isResult] = [isOutline(truth, x, y, width, height), isOutline(found, x, y, width, height)]
      out.set(isTruth && isResult ? BOTH : isTruth ? TRUTH : isResult ? RESULT : pixel, (y * whole + width + GAP + x) * 3)
    }
  }
  await writeOutput(file, await sharp(out, { raw: { height, width: whole, channels: 3 } }).png().toBuffer())
}
