import type { Fitted } from '../types.ts'
import { addShares } from './shares.ts'

/** SAM's pixel statistics, RGB 0..255 (docs/spec/sam.md#pixels). */
const MEAN = [123.675, 116.28, 103.53] as const
const STD = [58.395, 57.12, 57.375] as const

/**
 * What the base was trained with: SAM's mean and deviation, brightness in 0..1 as MedSAM has it, or from each image's darkest value to
 * its brightest as LiteMedSAM has it (docs/spec/sam.md#pixels).
 */
export type Pixels = 'imagenet' | 'unit' | 'minmax'

/** Normalised pixel values by channel and brightness, where they are the same for all images. */
const TABLES = {
  imagenet: MEAN.map((mean, c) => byBrightness((value) => (value - mean) / STD[c]!)),
  unit: MEAN.map(() => byBrightness((value) => value / 255))
}

/** What makes plane c of a grey image of its plane 0: gain and shift. */
export function greyPlanes (pixels: Pixels): ReadonlyArray<{ readonly gain: number, readonly shift: number }> {
  return MEAN.map((mean, c) => pixels === 'imagenet'
    ? { gain: STD[0] / STD[c]!, shift: (MEAN[0] - mean) / STD[c]! }
    : { gain: 1, shift: 0 })
}

/** Mean and deviation of 0..255 that `pixels` takes off and divides by; undefined where every image has its own. */
export function pixelScale (pixels: Pixels): { readonly mean: readonly number[], readonly deviation: readonly number[] } | undefined {
  if (pixels === 'minmax') return undefined
  return pixels === 'imagenet' ? { mean: MEAN, deviation: STD } : { mean: MEAN.map(() => 0), deviation: STD.map(() => 255) }
}

function tablesFor (pixels: Pixels, image: Uint8Array): readonly Float32Array[] {
  if (pixels !== 'minmax') return TABLES[pixels]
  let [low, high] = [255, 0]
  for (const value of image) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  const table = byBrightness((value) => (value - low) / Math.max(high - low, 1e-8))
  return [table, table, table]
}

function byBrightness (normalised: (value: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, value) => normalised(value))
}

/**
 * Network input of slices fitted to one side S, [B, S, S, 3]: normalised, then padded with zeros at the right and bottom
 * (docs/spec/sam.md#geometry). @throws RangeError for no slices or different sides
 */
export function toImages (fitted: readonly Fitted[], pixels: Pixels = 'imagenet'): Float32Array {
  const side = commonSide(fitted)
  const images = new Float32Array(fitted.length * side * side * 3)
  const size = side * side * 3
  fitted.forEach((each, b) => { putImage(each, tablesFor(pixels, each.image), images.subarray(b * size, (b + 1) * size)) })
  return images
}

/**
 * Share of foreground in 0..1 over the area of each low-resolution pixel, [B, L, L], or [B, L, L, classes] when classes > 1;
 * L = `lowResSide` = 4G, which divides S. With one class every label > 0 is foreground; with more, class c is label c + 1.
 *
 * @throws RangeError for no slices, different sides or an L that does not divide S
 */
export function toTargets (fitted: readonly Fitted[], lowResSide: number, classes = 1): Float32Array {
  const side = commonSide(fitted)
  if (side % lowResSide !== 0) throw new RangeError(`a low-resolution side of ${lowResSide} does not divide ${side}`)
  const size = lowResSide * lowResSide * classes
  const targets = new Float32Array(fitted.length * size)
  fitted.forEach((each, b) => { putTarget(each, lowResSide, classes, targets.subarray(b * size, (b + 1) * size)) })
  return targets
}

function commonSide (fitted: readonly Fitted[]): number {
  const side = fitted[0]?.side ?? 0
  if (side === 0 || fitted.some((each) => each.side !== side)) throw new RangeError('a batch needs slices fitted to one side')
  return side
}

function putImage ({ side, fittedHeight, fittedWidth, channels, image }: Fitted, tables: readonly Float32Array[], out: Float32Array): void {
  for (let y = 0; y < fittedHeight; y++) {
    for (let x = 0; x < fittedWidth; x++) {
      const from = (y * fittedWidth + x) * channels
      const to = (y * side + x) * 3
      for (let c = 0; c < 3; c++) out[to + c] = tables[c]![image[channels === 1 ? from : from + c]!]!
    }
  }
}

function putTarget (fitted: Fitted, lowResSide: number, classes: number, out: Float32Array): void {
  addShares(fitted, lowResSide, (label, cell, share) => {
    if (classes > 1 && label > classes) return
    const at = cell * classes + (classes > 1 ? label - 1 : 0)
    out[at] = out[at]! + share
  })
}
