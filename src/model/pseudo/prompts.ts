import { EVERYTHING, movedMarks, type Fitted, type LabelMap, type Motion, type SliceMarks } from '../../dataset/index.ts'
import type { PseudoSettings } from '../../settings/pseudo.ts'
import type { SinglePrompt } from '../predict/prompts.ts'
import { visitDistances } from '../scores/distance-transform.ts'
import { movedCells } from './frames.ts'

/**
 * What the generator is asked with about one class of one image: points and at most one box in pixels of the canvas, whose edges are whole
 * numbers, with code 1 for the class and 0 for what is not of it; and probabilities by cell as mask prompt.
 */
export interface CanvasPrompt extends SliceMarks { readonly mask?: Float32Array }

/** Logits of mask prompts lie within these: what a mask's own pixels have (predict/prompts.ts). */
const SURE = 10
const HALF = 0.5

/** From the teacher's own answer, probabilities by cell; undefined where it shows nothing of the class. */
export function derivedPrompt (
  coarse: Float32Array,
  { side, fittedHeight, fittedWidth }: Pick<Fitted, 'side' | 'fittedHeight' | 'fittedWidth'>,
  kinds: PseudoSettings['prompts']
): CanvasPrompt | undefined {
  const maskSide = Math.sqrt(coarse.length)
  const factor = side / maskSide
  const shown = [...coarse.keys()].filter((cell) =>
    coarse[cell]! > HALF && cell % maskSide * factor < fittedWidth && Math.floor(cell / maskSide) * factor < fittedHeight)
  if (shown.length === 0) return undefined
  const [xs, ys] = [shown.map((cell) => cell % maskSide), shown.map((cell) => Math.floor(cell / maskSide))]
  const deepest = deepestOf(shown, maskSide)
  const [x, y] = [(deepest % maskSide + HALF) * factor, (Math.floor(deepest / maskSide) + HALF) * factor]
  return {
    points: kinds.includes('point') ? [[Math.min(x, fittedWidth - HALF), Math.min(y, fittedHeight - HALF), 1]] : [],
    boxes: kinds.includes('box')
      ? [[least(xs) * factor, least(ys) * factor, Math.min(fittedWidth, (most(xs) + 1) * factor),
          Math.min(fittedHeight, (most(ys) + 1) * factor), 1]]
      : [],
    ...(kinds.includes('mask') ? { mask: coarse } : {})
  }
}

function least (values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b))
}

function most (values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b))
}

/** The first of those cells that lie farthest from any other cell, and from the edge of the canvas. */
function deepestOf (shown: readonly number[], maskSide: number): number {
  const wide = maskSide + 2
  const others = new Uint8Array(wide ** 2).fill(1)
  const at = (cell: number): number => (Math.floor(cell / maskSide) + 1) * wide + cell % maskSide + 1
  for (const cell of shown) others[at(cell)] = 0
  const depths = new Float64Array(wide ** 2)
  visitDistances(others, [1, wide, wide], [1, 1, 1], (squared) => { depths.set(squared) })
  return shown.reduce((best, cell) => depths[at(cell)]! > depths[at(best)]! ? cell : best, shown[0]!)
}

/**
 * The site's own points and boxes for a class, which stand above what can be derived; none where it gave none of it. `together`: whether
 * the base knows several prompts at once; else each box, or each point with one outside, is asked by itself.
 */
export function givenPrompts (
  { given }: Pick<Fitted, 'given'>,
  { members }: LabelMap = EVERYTHING,
  { of, together, points: knowsPoints = true }: { readonly of: number, readonly together: boolean, readonly points?: boolean }
): CanvasPrompt[] {
  const isOf = (code: number): boolean => members[of]![code] === 1
  const boxes = (given?.boxes ?? []).filter(([, , , , code]) => isOf(code)).map(([x0, y0, x1, y1]) => [x0, y0, x1, y1, 1] as const)
  const points = (given?.points ?? []).map(([x, y, code]) => [x, y, isOf(code) ? 1 : 0] as const)
  const [inside, outside] = [points.filter(([, , code]) => code === 1), points.filter(([, , code]) => code === 0)]
  if (boxes.length > 0) return boxes.map((box) => ({ boxes: [box], points: together ? points.filter((point) => isIn(point, box)) : [] }))
  if (inside.length === 0 || !knowsPoints) return []
  return together
    ? [{ boxes: [], points }]
    : inside.map((point) => ({ boxes: [], points: [point, ...outside.slice(0, 1)] }))
}

function isIn ([x, y]: readonly [number, number, number], [x0, y0, x1, y1]: SliceMarks['boxes'][number]): boolean {
  return x >= x0 && x <= x1 && y >= y0 && y <= y1
}

/** The prompt in a motion of its image, as the decoder takes it: pixels are where their middle is. */
export function promptIn ({ mask, ...marks }: CanvasPrompt, image: Fitted, motion: Motion): SinglePrompt {
  const { points, boxes: [box] } = movedMarks(marks, { height: image.fittedHeight, width: image.fittedWidth }, motion)
  return {
    points: points.map(([x, y, code]) => [x - HALF, y - HALF, code] as const),
    ...(box == null ? {} : { box: [box[0], box[1], box[2] - 1, box[3] - 1] as const }),
    ...(mask == null ? {} : { mask: movedCells(mask, image, motion, Math.sqrt(mask.length)).map(logitOf) })
  }
}

/** Of a probability, no farther from 0 than a mask prompt is sure. */
function logitOf (p: number): number {
  return Math.max(-SURE, Math.min(SURE, Math.log(p / (1 - p))))
}
