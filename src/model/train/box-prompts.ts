import type { Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import { UNKNOWN, type Fitted } from '../../dataset/index.ts'

const JITTER = 0.05

/**
 * A box around each mask as `@boxes`, its sides moved by up to 5 % of the box where `random` is given; the whole image where nothing is
 * marked.
 */
export function maskBoxes (batch: readonly Fitted[], random?: Random): HostRecord {
  const corners = batch.flatMap((sample) => {
    const [x0, y0, x1, y1] = maskBounds(sample)
    const moved = (value: number, side: number): number => random == null ? value : value + (2 * random() - 1) * JITTER * side
    return [moved(x0, x1 - x0), moved(y0, y1 - y0), moved(x1, x1 - x0), moved(y1, y1 - y0)]
  })
  return { '@boxes': { shape: [batch.length, 4], data: Float32Array.from(corners) } }
}

/** x0, y0, x1, y1 of the foreground in pixels of the resized image; the whole of it where nothing is marked. */
export function maskBounds (
  { mask, fittedHeight, fittedWidth }: Pick<Fitted, 'mask' | 'fittedHeight' | 'fittedWidth'>
): [number, number, number, number] {
  const bounds: [number, number, number, number] = [fittedWidth, fittedHeight, -1, -1]
  mask.forEach((label, i) => {
    if (label === 0 || label === UNKNOWN) return
    const [x, y] = [i % fittedWidth, Math.floor(i / fittedWidth)]
    bounds[0] = Math.min(bounds[0], x)
    bounds[1] = Math.min(bounds[1], y)
    bounds[2] = Math.max(bounds[2], x)
    bounds[3] = Math.max(bounds[3], y)
  })
  return bounds[2] < 0 ? [0, 0, fittedWidth - 1, fittedHeight - 1] : bounds
}
