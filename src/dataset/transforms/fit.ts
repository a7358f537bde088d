import type { Fitted, Slice } from '../types.ts'
import { resizeImage, resizeLabels } from './resize.ts'

/**
 * Scales a slice so that its longer side is `side` pixels (docs/spec/sam.md#geometry); masks by nearest pixel. Gives the event loop a
 * turn first, since data sets are fitted in one go.
 */
export async function fitSlice (slice: Slice, side: number): Promise<Fitted> {
  await new Promise((resolve) => setImmediate(resolve))
  const { id, height, width, channels } = slice
  const scale = side / Math.max(height, width)
  const fittedHeight = Math.max(1, Math.floor(height * scale + 0.5))
  const fittedWidth = Math.max(1, Math.floor(width * scale + 0.5))
  return {
    id,
    height,
    width,
    side,
    fittedHeight,
    fittedWidth,
    channels,
    image: resizeImage({ height, width, channels, data: slice.image }, fittedHeight, fittedWidth),
    mask: resizeLabels(slice.mask, slice, fittedHeight, fittedWidth),
    ...(slice.lacks == null ? {} : { lacks: slice.lacks })
  }
}
