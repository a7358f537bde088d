import type { HostRecord } from '../../compute/index.ts'
import type { Fitted, Random } from '../../dataset/index.ts'

/** What a user points at, in pixels of the original image. */
export interface ImagePrompt {
  /** x0, y0, x1, y1 */
  readonly box?: readonly [number, number, number, number]
  /** x, y and label: 1 inside, 0 outside */
  readonly points?: readonly (readonly [number, number, number])[]
}

/** The same prompt for every image of a batch, as inputs of the forward step, in pixels of the resized images. */
export function promptInputs ({ box, points = [] }: ImagePrompt, batch: readonly Fitted[]): HostRecord {
  const scaled = (x: number, y: number, { width, height, fittedWidth, fittedHeight }: Fitted): number[] => [x * fittedWidth / width, y * fittedHeight / height]
  const coordinates = batch.flatMap((each) => points.flatMap(([x, y]) => scaled(x, y, each)))
  const labels = batch.flatMap(() => points.map(([, , label]) => label))
  const corners = box == null ? [] : batch.flatMap((each) => [...scaled(box[0], box[1], each), ...scaled(box[2], box[3], each)])
  return {
    ...(points.length === 0
      ? {}
      : {
          '@coordinates': { shape: [batch.length, points.length, 2], data: Float32Array.from(coordinates) },
          '@labels': { shape: [batch.length, points.length], data: Float32Array.from(labels) }
        }),
    ...(box == null ? {} : { '@boxes': { shape: [batch.length, 4], data: Float32Array.from(corners) } })
  }
}

const JITTER = 0.05

/** A box around each mask as `@boxes`, its sides moved by up to 5 % of the box where `random` is given; the whole image where nothing is marked. */
export function maskBoxes (batch: readonly Fitted[], random?: Random): HostRecord {
  const corners = batch.flatMap((sample) => {
    const [x0, y0, x1, y1] = maskBounds(sample)
    const moved = (value: number, side: number): number => random == null ? value : value + (2 * random() - 1) * JITTER * side
    return [moved(x0, x1 - x0), moved(y0, y1 - y0), moved(x1, x1 - x0), moved(y1, y1 - y0)]
  })
  return { '@boxes': { shape: [batch.length, 4], data: Float32Array.from(corners) } }
}

/** x0, y0, x1, y1 of the foreground in pixels of the resized image. */
function maskBounds ({ mask, fittedHeight, fittedWidth }: Fitted): [number, number, number, number] {
  const bounds: [number, number, number, number] = [fittedWidth, fittedHeight, -1, -1]
  mask.forEach((label, i) => {
    if (label === 0) return
    const [x, y] = [i % fittedWidth, Math.floor(i / fittedWidth)]
    bounds[0] = Math.min(bounds[0], x)
    bounds[1] = Math.min(bounds[1], y)
    bounds[2] = Math.max(bounds[2], x)
    bounds[3] = Math.max(bounds[3], y)
  })
  return bounds[2] < 0 ? [0, 0, fittedWidth - 1, fittedHeight - 1] : bounds
}
