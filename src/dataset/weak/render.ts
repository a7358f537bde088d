import { isForeground } from '../labels/label-book.ts'
import { UNKNOWN } from '../labels/label-map.ts'
import type { Fitted, Slice } from '../types.ts'

/** Of a box's width and height, the axes of the ellipse in its middle that is taken for what the box is around: ours. */
const MIDDLE = 0.5
/** Pixels of the network's input across one cell of its masks: a patch of 16, and four cells to it (docs/spec/sam.md#geometry). */
const CELL = 4

type Size = Pick<Fitted, 'side' | 'fittedHeight' | 'fittedWidth'>

/**
 * What is known of a slice without a whole mask, at the side of the network: `marks` of scribbles, blocks, points and the middle of boxes,
 * `mask` of these and of what lies outside all boxes. A pixel is marked where any that it covers is, so that a stroke of one pixel survives
 * whatever the side; a point is as large as three cells.
 */
export function renderMarks (slice: Slice, size: Size): Pick<Fitted, 'mask' | 'marks'> {
  const marks = thinned(slice, size)
  for (const point of slice.marks?.points ?? []) putPoint(point, slice, size, marks)
  const boxes = slice.marks?.boxes ?? []
  for (const box of boxes) putMiddle(box, slice, size, marks)
  const mask = marks.slice()
  if (boxes.length > 0) outside(boxes, slice, size, (pixel) => { if (mask[pixel] === UNKNOWN) mask[pixel] = 0 })
  return { mask, marks }
}

/** Where several labels meet in a pixel, foreground goes above background. */
function thinned ({ mask, height, width }: Slice, { fittedHeight, fittedWidth }: Size): Uint8Array {
  const out = new Uint8Array(fittedHeight * fittedWidth).fill(UNKNOWN)
  const put = (to: number, code: number): void => {
    if (out[to] === UNKNOWN || (out[to] === 0 && isForeground(code))) out[to] = code
  }
  // Small images are enlarged: every pixel then covers several.
  for (let y = 0; y < Math.max(height, fittedHeight); y++) {
    const [row, toRow] = [scaled(y, height, fittedHeight), scaled(y, fittedHeight, height)]
    for (let x = 0; x < Math.max(width, fittedWidth); x++) {
      const code = mask[row * width + scaled(x, width, fittedWidth)]!
      if (code !== UNKNOWN) put(toRow * fittedWidth + scaled(x, fittedWidth, width), code)
    }
  }
  return out
}

/** Place `at` among the larger of two numbers, among `own`. */
function scaled (at: number, own: number, other: number): number {
  return own >= other ? at : Math.floor((at + 0.5) * own / other)
}

type Point = NonNullable<Slice['marks']>['points'][number]

/** What is drawn stands; where points of unlike labels meet, nothing is known but the points. */
function putPoint ([x, y, code]: Point, { height, width }: Slice, { fittedHeight, fittedWidth }: Size, marks: Uint8Array): void {
  const [row, column] = [Math.floor((y + 0.5) * fittedHeight / height), Math.floor((x + 0.5) * fittedWidth / width)]
  for (let down = Math.max(0, row - CELL); down <= Math.min(fittedHeight - 1, row + CELL); down++) {
    for (let across = Math.max(0, column - CELL); across <= Math.min(fittedWidth - 1, column + CELL); across++) {
      const at = down * fittedWidth + across
      if (marks[at] === UNKNOWN || (down === row && across === column)) marks[at] = code
    }
  }
}

type Box = NonNullable<Slice['marks']>['boxes'][number]

/** Without it boxes would say nothing but where the organ is not, and nothing is then the best guess. What is drawn stands. */
function putMiddle ([x0, y0, x1, y1, code]: Box, { height, width }: Slice, { fittedHeight, fittedWidth }: Size, marks: Uint8Array): void {
  const [down, across] = [height / fittedHeight, width / fittedWidth]
  const away = (at: number, from: number, to: number): number => (2 * at - from - to) / Math.max(1, to - from) / MIDDLE
  for (let y = 0; y < fittedHeight; y++) {
    const high = away((y + 0.5) * down, y0, y1)
    for (let x = 0; Math.abs(high) <= 1 && x < fittedWidth; x++) {
      const at = y * fittedWidth + x
      if (marks[at] === UNKNOWN && Math.hypot(high, away((x + 0.5) * across, x0, x1)) <= 1) marks[at] = code
    }
  }
}

/** Pixels that no box touches. */
function outside (
  boxes: readonly Box[],
  { height, width }: Slice,
  { fittedHeight, fittedWidth }: Size,
  put: (pixel: number) => void
): void {
  const [down, across] = [height / fittedHeight, width / fittedWidth]
  for (let y = 0; y < fittedHeight; y++) {
    const rows = boxes.filter(([, y0, , y1]) => (y + 1) * down > y0 && y * down <= y1)
    for (let x = 0; x < fittedWidth; x++) {
      if (!rows.some(([x0, , x1]) => (x + 1) * across > x0 && x * across <= x1)) put(y * fittedWidth + x)
    }
  }
}
