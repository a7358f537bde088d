import type { Fitted } from '../../dataset/index.ts'
import { linearTaps, resizeLinear, type Tap } from './resize.ts'

/** Where an image lies on its square canvas: at the top left, `fittedHeight`×`fittedWidth` of `side`×`side` pixels. */
export type FittedGeometry = Pick<Fitted, 'height' | 'width' | 'side' | 'fittedHeight' | 'fittedWidth'>

function crop (data: Float32Array, stride: number, height: number, width: number): Float32Array {
  const result = new Float32Array(height * width)
  for (let y = 0; y < height; y++) result.set(data.subarray(y * stride, y * stride + width), y * width)
  return result
}

function resize2d (data: Float32Array, height: number, width: number, toHeight: number, toWidth: number): Float32Array {
  return resizeLinear(resizeLinear({ shape: [height, width], data }, 0, toHeight), 1, toWidth).data
}

/**
 * Low-resolution logits (lowRes² values) → logits at the original size: up to the canvas, crop, to the original
 * (docs/spec/sam.md#restoring-masks).
 */
export function restoreLogits (
  logits: Float32Array,
  lowRes: number,
  { height, width, side, fittedHeight, fittedWidth }: FittedGeometry
): Float32Array {
  const content = onCanvas(logits, lowRes, { side, fittedHeight, fittedWidth })
  return resize2d(content, fittedHeight, fittedWidth, height, width)
}

function onCanvas (
  logits: Float32Array,
  lowRes: number,
  { side, fittedHeight, fittedWidth }: Pick<FittedGeometry, 'side' | 'fittedHeight' | 'fittedWidth'>
): Float32Array {
  return crop(resize2d(logits, lowRes, lowRes, side, side), side, fittedHeight, fittedWidth)
}

/** The mask at the original size: 1 where the logit is positive. */
export function restoreMask (logits: Float32Array, lowRes: number, geometry: FittedGeometry): Uint8Array {
  const { height, width, fittedHeight, fittedWidth } = geometry
  const content = onCanvas(logits, lowRes, geometry)
  const mask = new Uint8Array(height * width)
  // Row by row: all logits of a large picture take four times its pixels, and twice that on the way.
  const columns = linearTaps(fittedWidth, width)
  linearTaps(fittedHeight, height).forEach((tap, y) => {
    const row = mixed(content, fittedWidth, tap)
    columns.forEach(({ low, high, weight }, x) => {
      mask[y * width + x] = Math.fround(row[low]! * (1 - weight) + row[high]! * weight) > 0 ? 1 : 0
    })
  })
  return mask
}

/** One row between two, as `resizeLinear` makes it. */
function mixed (rows: Float32Array, width: number, { low, high, weight }: Tap): Float32Array {
  const row = new Float32Array(width)
  for (let x = 0; x < width; x++) row[x] = rows[low * width + x]! * (1 - weight) + rows[high * width + x]! * weight
  return row
}
