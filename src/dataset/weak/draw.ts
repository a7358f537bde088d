import { InputError } from '../../errors.ts'
import { fillPolygons, type Point } from '../../formats/polygons.ts'
import { UNKNOWN } from '../labels/label-map.ts'
import type { LabelKind, SliceMarks } from '../types.ts'
import type { Outline, StatedLabel, StatedMarks } from './stated.ts'

/** What a stated label is as a code; undefined where it is none of the federation's. */
export type CodeOf = (label: StatedLabel) => number | undefined

interface Size { readonly height: number, readonly width: number }

/** What is known of one slice: codes, UNKNOWN where nothing is drawn, and what is known beside. */
export interface Drawn {
  readonly kind: LabelKind
  readonly mask: Uint8Array
  readonly marks: SliceMarks
}

type Flat = Omit<StatedMarks, 'file' | 'size'>

/**
 * Marks on a slice, in its pixels. Where outlines are all there is they are its whole mask; else what is inside one is known, and what is
 * outside is not. @throws InputError whose message is a reason without a file name
 */
export function drawMarks (
  { points, boxes, outlines, lines }: Flat,
  size: Size,
  codeOf: CodeOf,
  pictures: ReadonlyArray<{ readonly kind: LabelKind, readonly codes: Uint8Array }> = []
): Drawn {
  const { height, width } = size
  const known = coded(outlines, codeOf)
  const others = points.length + boxes.length + lines.length + pictures.length
  const mask = new Uint8Array(height * width).fill(known.length > 0 && others === 0 ? 0 : UNKNOWN)
  for (const [each, code] of known) fillOutline(each, size, (pixel) => { mask[pixel] = code })
  for (const { codes } of pictures) codes.forEach((code, i) => { if (mask[i] === UNKNOWN) mask[i] = code })
  const strokes = coded(lines, codeOf)
  for (const [each, code] of strokes) drawLine(each.points, size, (pixel) => { mask[pixel] = code })
  const marks = {
    points: coded(points, codeOf).map(([{ at }, code]) => pointIn(at, size, code)),
    boxes: coded(boxes, codeOf).map(([{ corners }, code]) => boxIn(corners, size, code))
  }
  const kinds: LabelKind[] = [
    ...known.length === 0 ? [] : [others === 0 ? 'mask' as const : 'block' as const],
    ...pictures.map(({ kind }) => kind),
    ...strokes.length === 0 ? [] : ['scribble' as const],
    ...marks.points.length === 0 ? [] : ['points' as const],
    ...marks.boxes.length === 0 ? [] : ['box' as const]
  ]
  return { kind: strongest(kinds), mask, marks }
}

const ORDER: readonly LabelKind[] = ['mask', 'block', 'scribble', 'points', 'box']

function strongest (kinds: readonly LabelKind[]): LabelKind {
  return ORDER.find((kind) => kinds.includes(kind)) ?? 'none'
}

/** Without those that are of no class. */
function coded<T extends { readonly label: StatedLabel }> (all: readonly T[], codeOf: CodeOf): [T, number][] {
  return all.flatMap((each): [T, number][] => {
    const code = codeOf(each.label)
    return code == null || code === UNKNOWN ? [] : [[each, code]]
  })
}

function fillOutline ({ shape }: Outline, { height, width }: Size, put: (pixel: number) => void): void {
  if (!('counts' in shape)) {
    // Here whole numbers are edges, there middles.
    fillPolygons(shape.map((polygon) => polygon.map(([x, y]): Point => [x - 0.5, y - 0.5])), width, height, put)
    return
  }
  if (shape.height !== height || shape.width !== width) throw new InputError(otherSize(shape, { height, width }))
  let at = 0
  shape.counts.forEach((count, run) => {
    for (let i = at; i < at + count; i++) if (run % 2 === 1) put((i % height) * width + Math.floor(i / height))
    at += count
  })
}

/** A stroke of one pixel through the points. */
function drawLine (points: readonly Point[], { height, width }: Size, put: (pixel: number) => void): void {
  points.slice(1).forEach(([x2, y2], i) => {
    const [x1, y1] = points[i]!
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1))))
    if (steps > 4 * (height + width)) throw new InputError('a line reaches far outside the image: draw it again')
    for (let step = 0; step <= steps; step++) {
      const [x, y] = [Math.floor(x1 + (x2 - x1) * step / steps), Math.floor(y1 + (y2 - y1) * step / steps)]
      if (x >= 0 && y >= 0 && x < width && y < height) put(y * width + x)
    }
  })
}

function pointIn ([x = NaN, y = NaN]: readonly number[], { height, width }: Size, code: number): SliceMarks['points'][number] {
  if (!(x >= 0 && y >= 0 && x <= width && y <= height)) throw new InputError('a point lies outside the image: mark it again')
  return [Math.min(width - 1, Math.floor(x)), Math.min(height - 1, Math.floor(y)), code]
}

function boxIn ([a, b]: StatedMarks['boxes'][number]['corners'], { height, width }: Size, code: number): SliceMarks['boxes'][number] {
  const [x0, x1] = [Math.min(a[0]!, b[0]!), Math.max(a[0]!, b[0]!)]
  const [y0, y1] = [Math.min(a[1]!, b[1]!), Math.max(a[1]!, b[1]!)]
  if (!(x1 > 0 && y1 > 0 && x0 < width && y0 < height)) throw new InputError('a box lies outside the image: draw it again')
  return [Math.max(0, x0), Math.max(0, y0), Math.min(width, x1), Math.min(height, y1), code]
}

/** @throws InputError where marks were drawn on an image of another size */
export function checkSize (marked: Size | undefined, own: Size): void {
  if (marked != null && (marked.height !== own.height || marked.width !== own.width)) throw new InputError(otherSize(marked, own))
}

function otherSize (marked: Size, own: Size): string {
  const [drawn, has] = [marked, own].map(({ width, height }) => `${width}×${height}`)
  return `its marks were drawn on an image of ${drawn} pixels, and it has ${has}: mark this one`
}
