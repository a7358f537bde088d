import type { HostRecord } from '../../compute/index.ts'
import { toTargets, type Fitted } from '../../dataset/index.ts'

/** x0, y0, x1, y1 in pixels of the original image. */
export type BoxPrompt = readonly [number, number, number, number]
/** x, y in pixels of the original image, and label: 1 inside, 0 outside. */
export type PointPrompt = readonly [number, number, number]

/** What a user points at in one image. */
export interface ImagePrompt {
  readonly points?: readonly PointPrompt[]
  /** Each box is a prompt of its own: one mask per box. */
  readonly boxes?: readonly BoxPrompt[]
  /** Low-resolution logits [4G·4G], of an earlier prediction or of maskLogits(). */
  readonly mask?: Float32Array
}

/** What the decoder takes at a time: SAM knows one box per prompt. */
export interface SinglePrompt {
  readonly points: readonly PointPrompt[]
  readonly box?: BoxPrompt
  readonly mask?: Float32Array
}

/** Logit of a pixel that a mask marks, and minus that of one that it does not: what SAM 2 gives masks of 0 and 1 (out 20·m − 10). */
const SURE = 10

/**
 * The mask of a fitted image as mask prompt [4G·4G]: shares of foreground as the targets of training have them, as logits −10…10; −10
 * beyond the image.
 */
export function maskLogits (fitted: Fitted, lowRes: number): Float32Array {
  return toTargets([fitted], lowRes).map((share) => SURE * (2 * share - 1))
}

/** One prompt per box, or one for all points. A point belongs to the boxes in which it lies; if it lies in none, to all. */
export function singlePrompts ({ points = [], boxes = [], mask }: ImagePrompt): SinglePrompt[] {
  const common = mask == null ? {} : { mask }
  if (boxes.length === 0) return [{ points, ...common }]
  return boxes.map((box) => ({
    points: points.filter((point) => isInside(point, box) || !boxes.some((other) => isInside(point, other))),
    box,
    ...common
  }))
}

function isInside ([x, y]: PointPrompt, [x0, y0, x1, y1]: BoxPrompt): boolean {
  return x >= x0 && x <= x1 && y >= y0 && y <= y1
}

/** A prompt as inputs of the decoder, in pixels of the resized image (docs/spec/sam.md#geometry). */
export function promptInputs (
  { points, box, mask }: SinglePrompt,
  { width, height, fittedWidth, fittedHeight }: Fitted,
  lowRes: number
): HostRecord {
  const scaled = (x: number, y: number): number[] => [x * fittedWidth / width, y * fittedHeight / height]
  return {
    ...(points.length === 0
      ? {}
      : {
          '@coordinates': { shape: [1, points.length, 2], data: Float32Array.from(points.flatMap(([x, y]) => scaled(x, y))) },
          '@labels': { shape: [1, points.length], data: Float32Array.from(points, ([, , label]) => label) }
        }),
    ...(box == null
      ? {}
      : { '@boxes': { shape: [1, 4], data: Float32Array.from([...scaled(box[0], box[1]), ...scaled(box[2], box[3])]) } }),
    ...(mask == null ? {} : { '@mask': { shape: [1, lowRes, lowRes], data: mask } })
  }
}
