/** A raster of one byte per pixel. */
export interface Turnable { readonly data: Uint8Array, readonly height: number, readonly width: number }

/** What a viewer shows of stored pixels by EXIF orientation 1..8 (TIFF 6.0, Orientation). */
export function turned ({ data, height, width }: Turnable, orientation: number): Turnable {
  if (orientation === 1) return { data, height, width }
  const swaps = orientation >= 5
  const shown = { height: swaps ? width : height, width: swaps ? height : width }
  const out = new Uint8Array(data.length)
  const [lastX, lastY] = [width - 1, height - 1]
  for (let y = 0; y < shown.height; y++) {
    for (let x = 0; x < shown.width; x++) {
      const [column, row] = swaps ? [y, x] : [x, y]
      const fromRight = [2, 3, 7, 8].includes(orientation)
      const fromBottom = [3, 4, 6, 7].includes(orientation)
      out[y * shown.width + x] = data[(fromBottom ? lastY - row : row) * width + (fromRight ? lastX - column : column)]!
    }
  }
  return { ...shown, data: out }
}

/** The stored pixels of what a viewer shows: the way back of `turned`. */
export function turnedBack (shown: Turnable, orientation: number): Turnable {
  return turned(shown, orientation === 6 ? 8 : orientation === 8 ? 6 : orientation)
}
