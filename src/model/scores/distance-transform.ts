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

/** Nothing is marked so far along the slowest axis, which no image has so many planes of. */
const FAR = 65_535

/** Along the slowest axis, plane by plane: steps up from the nearest marked place, then down. */
function stepsAcross (marked: Uint8Array, plane: number): Uint16Array {
  const steps = new Uint16Array(marked.length)
  for (let i = 0; i < marked.length; i++) steps[i] = marked[i]! > 0 ? 0 : i < plane ? FAR : Math.min(FAR, steps[i - plane]! + 1)
  for (let i = marked.length - plane - 1; i >= 0; i--) steps[i] = Math.min(steps[i]!, steps[i + plane]! + 1)
  return steps
}

/**
 * Exact squared Euclidean distance of every pixel or voxel to the nearest marked one, Infinity where nothing is marked. `shape` goes from
 * the slowest axis, of fewer than 65,535 planes, to the fastest; `spacing` is that of each axis. Plane by plane, in one array for all of
 * them: distances of a whole CT in float64 would take more than a gigabyte. `visit` is told where in `marked` a plane begins.
 */
export function visitDistances (
  marked: Uint8Array,
  shape: readonly number[],
  spacing: readonly number[],
  visit: (squared: Float64Array, begin: number) => void
): void {
  const plane = marked.length / shape[0]!
  const steps = stepsAcross(marked, plane)
  const longest = Math.max(...shape)
  const scratch = { line: new Float64Array(longest), apex: new Int32Array(longest), start: new Float64Array(longest + 1) }
  const squared = new Float64Array(plane)
  for (let begin = 0; begin < marked.length; begin += plane) {
    for (let i = 0; i < plane; i++) squared[i] = steps[begin + i] === FAR ? Infinity : (spacing[0]! * steps[begin + i]!) ** 2
    transformPlane(squared, shape, spacing, scratch)
    visit(squared, begin)
  }
}

function transformPlane (squared: Float64Array, shape: readonly number[], spacing: readonly number[], scratch: Scratch): void {
  let block = squared.length
  for (const [axis, count] of shape.entries()) {
    if (axis === 0) continue
    const stride = block / count
    for (let outer = 0; outer < squared.length; outer += block) {
      for (let inner = 0; inner < stride; inner++) transformLine(squared, outer + inner, stride, count, spacing[axis]!, scratch)
    }
    block = stride
  }
}
