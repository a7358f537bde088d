import type { Fitted } from '../types.ts'

const WHOLE = 255

/**
 * By label but background: which part of each pixel of height×width is of it, in 255ths. By area, so that what is thinner than a pixel
 * does not vanish.
 */
export function labelShares (
  labels: Uint8Array,
  from: { readonly height: number, readonly width: number },
  height: number,
  width: number
): ReadonlyMap<number, Uint8Array> {
  const [rows, columns] = [overlaps(from.height, height), overlaps(from.width, width)]
  const sums = new Map<number, Float32Array>()
  labels.forEach((label, i) => {
    if (label === 0) return
    let sum = sums.get(label)
    if (sum == null) sums.set(label, sum = new Float32Array(height * width))
    for (const [y, down] of rows[Math.floor(i / from.width)]!) {
      for (const [x, across] of columns[i % from.width]!) sum[y * width + x]! += down * across
    }
  })
  return new Map([...sums].map(([label, sum]) => [label, Uint8Array.from(sum, (share) => Math.min(WHOLE, Math.round(WHOLE * share)))]))
}

/** For each of `from` samples: which of `to` it lies in, and which part of each of those it fills. */
function overlaps (from: number, to: number): [index: number, share: number][][] {
  return Array.from({ length: from }, (_, i) => {
    const [start, end] = [i * to / from, (i + 1) * to / from]
    const first = Math.floor(start)
    return Array.from({ length: Math.ceil(end) - first }, (_each, k): [number, number] => {
      const at = first + k
      return [at, Math.min(end, at + 1) - Math.max(start, at)]
    }).filter(([at, share]) => at < to && share > 0)
  })
}

/** Calls `add` with every label but background, a cell of `lowResSide`², a divisor of the side, and a part of that cell. */
export function addShares (
  { side, fittedHeight, fittedWidth, mask, shares }: Fitted,
  lowResSide: number,
  add: (label: number, cell: number, share: number) => void
): void {
  const factor = side / lowResSide
  const pixel = 1 / (factor * factor)
  const each = (label: (i: number) => number, share: (i: number) => number): void => {
    for (let y = 0; y < fittedHeight; y++) {
      const row = Math.floor(y / factor) * lowResSide
      for (let x = 0; x < fittedWidth; x++) {
        const i = y * fittedWidth + x
        if (label(i) !== 0) add(label(i), row + Math.floor(x / factor), share(i))
      }
    }
  }
  if (shares == null) each((i) => mask[i]!, () => pixel)
  else for (const [label, of] of shares) each((i) => of[i] === 0 ? 0 : label, (i) => pixel * of[i]! / WHOLE)
}
