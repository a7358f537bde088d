import type { Fitted, Slice } from '../types.ts'
import { resizeImage, resizeLabels } from './resize.ts'
import { renderMarks } from '../weak/render.ts'
import { labelShares } from './shares.ts'

/**
 * Scales a slice so that its longer side is `side` pixels (docs/spec/sam.md#geometry); masks by nearest pixel, and by area beside it where
 * that is asked for. Gives the event loop a turn first, since data sets are fitted in one go.
 */
export async function fitSlice (slice: Slice, side: number, targets: 'nearest' | 'area' = 'nearest'): Promise<Fitted> {
  await new Promise((resolve) => setImmediate(resolve))
  const { id, subject, height, width, channels } = slice
  const [fittedHeight, fittedWidth] = fittedSize(slice, side)
  return {
    id,
    subject,
    height,
    width,
    side,
    fittedHeight,
    fittedWidth,
    channels,
    image: slice.scaled == null ? scaledImage(slice, side) : keptImage(slice.scaled, side),
    ...(slice.kind == null
      ? { mask: resizeLabels(slice.mask, slice, fittedHeight, fittedWidth) }
      : { kind: slice.kind, ...renderMarks(slice, { side, fittedHeight, fittedWidth }), ...givenOf(slice, fittedHeight, fittedWidth) }),
    ...(targets === 'area' && slice.kind == null ? { shares: labelShares(slice.mask, slice, fittedHeight, fittedWidth) } : {}),
    ...(slice.lacks == null ? {} : { lacks: slice.lacks }),
    ...(slice.corrected === true ? { corrected: true } : {})
  }
}

/** A point of a slice is a pixel: it lies in its middle. */
function givenOf ({ marks, height, width }: Slice, fittedHeight: number, fittedWidth: number): Pick<Fitted, 'given'> {
  const { points = [], boxes = [] } = marks ?? {}
  if (points.length + boxes.length === 0) return {}
  const [down, across] = [fittedHeight / height, fittedWidth / width]
  return {
    given: {
      points: points.map(([x, y, code]) => [(x + 0.5) * across, (y + 0.5) * down, code] as const),
      boxes: boxes.map(([x0, y0, x1, y1, code]) => [x0 * across, y0 * down, x1 * across, y1 * down, code] as const)
    }
  }
}

/** The image of a slice as `fitSlice` gives it. */
export function scaledImage ({ height, width, channels, image }: Slice, side: number): Uint8Array {
  return resizeImage({ height, width, channels, data: image }, ...fittedSize({ height, width }, side))
}

function fittedSize ({ height, width }: Pick<Slice, 'height' | 'width'>, side: number): [height: number, width: number] {
  const scale = side / Math.max(height, width)
  return [Math.max(1, Math.floor(height * scale + 0.5)), Math.max(1, Math.floor(width * scale + 0.5))]
}

function keptImage (scaled: NonNullable<Slice['scaled']>, side: number): Uint8Array {
  const image = scaled.get(side)
  if (image == null) throw new RangeError(`images were kept at the sides ${[...scaled.keys()].join()}, not at ${side}`)
  return image
}
