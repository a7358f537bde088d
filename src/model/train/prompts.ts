import type { HostRecord } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'

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
