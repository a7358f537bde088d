import type { Point } from '../../formats/polygons.ts'

/** A value as it stands in masks, or the name of a class. */
export type StatedLabel = number | string

/** Runs of pixels outside and inside in turn, column by column (COCO's RLE). */
export interface Runs { readonly counts: readonly number[], readonly height: number, readonly width: number }

/** Closed outlines of one object; edges of pixels are whole numbers. */
export interface Outline { readonly label: StatedLabel, readonly shape: readonly (readonly Point[])[] | Runs }

/** What somebody marked on one image, in its pixels or voxels. */
export interface StatedMarks {
  /** where it is said, below the data folder */
  readonly file: string
  /** of the image that was marked, where that is said */
  readonly size?: { readonly width: number, readonly height: number } | undefined
  /** x, y, and of volumes z */
  readonly points: ReadonlyArray<{ readonly at: readonly number[], readonly label: StatedLabel }>
  /** two opposite corners of two or three numbers each */
  readonly boxes: ReadonlyArray<{ readonly corners: readonly [readonly number[], readonly number[]], readonly label: StatedLabel }>
  readonly outlines: readonly Outline[]
  /** strokes of one pixel */
  readonly lines: ReadonlyArray<{ readonly points: readonly Point[], readonly label: StatedLabel }>
}

export const NO_MARKS: Omit<StatedMarks, 'file'> = { points: [], boxes: [], outlines: [], lines: [] }

export function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value != null && !Array.isArray(value)
}

export function isNumbers (value: unknown): value is number[] {
  return Array.isArray(value) && value.every(Number.isFinite)
}

/** Two by two. */
export function pointsOf (numbers: readonly number[]): Point[] {
  return Array.from({ length: Math.floor(numbers.length / 2) }, (_, i): Point => [numbers[2 * i]!, numbers[2 * i + 1]!])
}

/** Of two sources for one image, the second beside the first. */
export function joinedMarks (a: StatedMarks, b: StatedMarks): StatedMarks {
  return {
    file: a.file,
    size: a.size ?? b.size,
    points: [...a.points, ...b.points],
    boxes: [...a.boxes, ...b.boxes],
    outlines: [...a.outlines, ...b.outlines],
    lines: [...a.lines, ...b.lines]
  }
}
