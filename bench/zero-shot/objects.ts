import type { Random } from '../../src/common/random.ts'
import type { BoxPrompt } from '../../src/model/predict/prompts.ts'

/** One connected piece of a mask: 1 where it is, and its box, the last pixels included. */
interface Piece { readonly mask: Uint8Array, readonly box: BoxPrompt }

/** The largest piece of a mask [height·width] whose pixels touch at their sides. */
export function largestPiece (labels: Uint8Array, width: number): Piece | undefined {
  const seen = new Uint8Array(labels.length)
  let best: number[] = []
  for (let start = 0; start < labels.length; start++) {
    if (labels[start] === 0 || seen[start] === 1) continue
    const piece = pieceFrom(start, labels, width, seen)
    if (piece.length > best.length) best = piece
  }
  if (best.length === 0) return undefined
  const mask = new Uint8Array(labels.length)
  for (const at of best) mask[at] = 1
  const [columns, rows] = [best.map((at) => at % width), best.map((at) => Math.floor(at / width))]
  const least = (list: number[]): number => list.reduce((a, b) => Math.min(a, b))
  const most = (list: number[]): number => list.reduce((a, b) => Math.max(a, b))
  return { mask, box: [least(columns), least(rows), most(columns), most(rows)] }
}

function pieceFrom (start: number, labels: Uint8Array, width: number, seen: Uint8Array): number[] {
  const piece = [start]
  seen[start] = 1
  for (const at of piece) {
    const x = at % width
    for (const next of [at - width, at + width, ...x > 0 ? [at - 1] : [], ...x < width - 1 ? [at + 1] : []]) {
      if (next < 0 || next >= labels.length || labels[next] === 0 || seen[next] === 1) continue
      seen[next] = 1
      piece.push(next)
    }
  }
  return piece
}

/** The box with each side moved outward by 0 to `most` pixels, within the image. */
export function widened ([x0, y0, x1, y1]: BoxPrompt, most: number, random: Random, width: number, height: number): BoxPrompt {
  const more = (): number => Math.floor(random() * (most + 1))
  return [Math.max(0, x0 - more()), Math.max(0, y0 - more()), Math.min(width - 1, x1 + more()), Math.min(height - 1, y1 + more())]
}

/** A mask that fills its box. */
export function filled ([x0, y0, x1, y1]: BoxPrompt, width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height)
  for (let y = y0; y <= y1; y++) mask.fill(1, y * width + x0, y * width + x1 + 1)
  return mask
}
