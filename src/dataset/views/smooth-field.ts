/**
 * A smooth map over an image, row-major: a quadratic B-spline through control points that lie `every` pixels apart, each drawn by
 * `draw`. Its values stay within those drawn.
 */
export function smoothField (
  { height, width, every }: { readonly height: number, readonly width: number, readonly every: number },
  draw: () => number
): Float32Array {
  const columns = Math.ceil(width / every) + 3
  const rows = Math.ceil(height / every) + 3
  const points = Float32Array.from({ length: columns * rows }, draw)
  const field = new Float32Array(height * width)
  for (let y = 0; y < height; y++) {
    const [row, down] = [Math.floor(y / every), splineWeights(y / every % 1)]
    for (let x = 0; x < width; x++) {
      const [column, across] = [Math.floor(x / every), splineWeights(x / every % 1)]
      let sum = 0
      for (let j = 0; j < 3; j++) {
        for (let i = 0; i < 3; i++) sum += down[j]! * across[i]! * points[(row + j) * columns + column + i]!
      }
      field[y * width + x] = sum
    }
  }
  return field
}

/** Of three neighbouring control points; they add up to 1. */
function splineWeights (t: number): readonly [number, number, number] {
  return [(1 - t) ** 2 / 2, (1 + 2 * t * (1 - t)) / 2, t ** 2 / 2]
}
