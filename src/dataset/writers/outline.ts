/** A foreground pixel with a neighbour of another label; the border of the picture counts as background. */
export function isOutline (mask: Uint8Array, x: number, y: number, width: number, height: number): boolean {
  const label = mask[y * width + x]!
  if (label === 0) return false
  if (x === 0 || y === 0 || x === width - 1 || y === height - 1) return true
  return [-1, 1, -width, width].some((step) => mask[y * width + x + step] !== label)
}
