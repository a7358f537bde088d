/** A square label map; each pixel holds the number of the innermost region there, 0 for the background. */
export interface Canvas {
  readonly side: number
  readonly labels: Uint8Array
}

/** Which label is put down, and the only label that it may replace. */
export interface Ink {
  readonly label: number
  readonly over: number
}

/** Fills a polygon (x, y pairs in pixels, even-odd rule, sampled at pixel centres) and returns the number of pixels put down. */
export function fillPolygon ({ side, labels }: Canvas, points: Float32Array, { label, over }: Ink): number {
  const crossings: number[] = []
  const last = points.length - 2
  let count = 0
  for (let row = 0; row < side; row++) {
    crossings.length = 0
    for (let i = 0, j = last; i <= last; j = i, i += 2) {
      const y0 = points[j + 1]! - 0.5 - row
      const y1 = points[i + 1]! - 0.5 - row
      if ((y0 > 0) !== (y1 > 0)) crossings.push(points[j]! + (points[i]! - points[j]!) * y0 / (y0 - y1))
    }
    crossings.sort((a, b) => a - b)
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const from = row * side + Math.max(0, Math.ceil(crossings[k]! - 0.5))
      const to = row * side + Math.min(side, Math.ceil(crossings[k + 1]! - 0.5))
      for (let p = from; p < to; p++) {
        if (labels[p] !== over) continue
        labels[p] = label
        count++
      }
    }
  }
  return count
}

/** Fills a disc and returns the number of pixels put down. */
export function fillDisc ({ side, labels }: Canvas, x: number, y: number, radius: number, { label, over }: Ink): number {
  let count = 0
  for (let row = Math.max(0, Math.floor(y - radius)); row < Math.min(side, y + radius); row++) {
    const half = radius * radius - (row + 0.5 - y) ** 2
    if (half <= 0) continue
    const to = Math.min(side, x + Math.sqrt(half))
    for (let column = Math.max(0, Math.ceil(x - Math.sqrt(half) - 0.5)); column + 0.5 < to; column++) {
      if (labels[row * side + column] !== over) continue
      labels[row * side + column] = label
      count++
    }
  }
  return count
}
