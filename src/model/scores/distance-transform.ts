/** Room for one line of the image, used for all of them. */
interface Scratch {
  readonly line: Float64Array
  readonly apex: Int32Array
  readonly start: Float64Array
}

/** Where each parabola (step·(x − q))² + line[q] that is the lowest somewhere begins to be it (Felzenszwalb & Huttenlocher 2012). */
function envelope ({ line, apex, start }: Scratch, count: number, step: number): number {
  const height = (q: number): number => line[q]! / (step * step) + q * q
  let k = -1
  for (let q = 0; q < count; q++) {
    if (line[q] === Infinity) continue
    let from = -Infinity
    while (k >= 0) {
      const p = apex[k]!
      from = (height(q) - height(p)) / (2 * (q - p))
      if (from > start[k]!) break
      k--
    }
    apex[++k] = q
    start[k] = k === 0 ? -Infinity : from
  }
  start[k + 1] = Infinity
  return k + 1
}

/** Walks `count` values that lie `stride` apart. */
function transformLine (squared: Float64Array, first: number, stride: number, count: number, step: number, scratch: Scratch): void {
  const { line, apex, start } = scratch
  for (let x = 0; x < count; x++) line[x] = squared[first + x * stride]!
  if (envelope(scratch, count, step) === 0) return
  let k = 0
  for (let x = 0; x < count; x++) {
    while (start[k + 1]! < x) k++
    const p = apex[k]!
    squared[first + x * stride] = (step * (x - p)) ** 2 + line[p]!
  }
}

/**
 * Exact squared Euclidean distance of every pixel or voxel to the nearest marked one, Infinity where nothing is marked. `shape` goes from
 * the slowest axis to the fastest; `spacing` is that of each axis, 1 if not given.
 */
export function squaredDistances (
  marked: Uint8Array,
  shape: readonly number[],
  spacing: readonly number[] = shape.map(() => 1)
): Float64Array {
  const squared = Float64Array.from(marked, (value) => value > 0 ? 0 : Infinity)
  const longest = Math.max(...shape)
  const scratch = { line: new Float64Array(longest), apex: new Int32Array(longest), start: new Float64Array(longest + 1) }
  let block = marked.length
  for (const [axis, count] of shape.entries()) {
    const stride = block / count
    for (let outer = 0; outer < marked.length; outer += block) {
      for (let inner = 0; inner < stride; inner++) transformLine(squared, outer + inner, stride, count, spacing[axis]!, scratch)
    }
    block = stride
  }
  return squared
}
