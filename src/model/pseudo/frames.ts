import { cellsOf, sourcesOf, type Fitted, type Motion } from '../../dataset/index.ts'

type Geometry = Pick<Fitted, 'side' | 'fittedHeight' | 'fittedWidth'>

/**
 * Cells [L·L] of an image as the motion of the image has them: the mean over the pixels that come to lie in a cell, 0 where there is none.
 * Exact where the image's sides are whole cells.
 */
export function movedCells (map: Float32Array, image: Geometry, motion: Motion, maskSide: number): Float32Array {
  const { side, fittedHeight, fittedWidth } = image
  const size = { height: fittedHeight, width: fittedWidth }
  const from = cellsOf(image, maskSide)
  const to = cellsOf(motion.transpose ? { side, fittedHeight: fittedWidth, fittedWidth: fittedHeight } : image, maskSide)
  const sums = new Float64Array(map.length)
  sourcesOf(size, motion).forEach((pixel, i) => { sums[to.at[i]!]! += map[from.at[pixel]!]! })
  return Float32Array.from(sums, (sum, cell) => sum / Math.max(1, to.pixels[cell]!))
}

/** Cells as pixels of the image: each has the number of its cell. */
export function pixelsOf (cells: Uint8Array, image: Geometry, maskSide: number): Uint8Array {
  return Uint8Array.from(cellsOf(image, maskSide).at, (cell) => cells[cell]!)
}

/** Number by number. */
export function meanOf (maps: readonly Float32Array[]): Float32Array {
  return maps[0]!.map((_, i) => maps.reduce((sum, map) => sum + map[i]!, 0) / maps.length)
}
