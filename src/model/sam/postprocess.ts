import type { Fitted } from '../../dataset/index.ts'
import { resizeLinear } from './resize.ts'

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
  const canvas = resize2d(logits, lowRes, lowRes, side, side)
  return resize2d(crop(canvas, side, fittedHeight, fittedWidth), fittedHeight, fittedWidth, height, width)
}

/** The mask at the original size: 1 where the logit is positive. */
export function restoreMask (logits: Float32Array, lowRes: number, geometry: FittedGeometry): Uint8Array {
  return Uint8Array.from(restoreLogits(logits, lowRes, geometry), (logit) => logit > 0 ? 1 : 0)
}
