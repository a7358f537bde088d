/** The lower envelope of the parabolas (x − q)² + values[q] at every x (Felzenszwalb & Huttenlocher 2012). */
function envelope (values: Float64Array): Float64Array {
  const n = values.length
  const apex = new Int32Array(n)
  const start = new Float64Array(n + 1)
  let k = -1
  for (let q = 0; q < n; q++) {
    if (values[q] === Infinity) continue
    let from = -Infinity
    while (k >= 0) {
      const p = apex[k]!
      from = ((values[q]! + q * q) - (values[p]! + p * p)) / (2 * (q - p))
      if (from > start[k]!) break
      k--
    }
    if (k < 0) from = -Infinity
    apex[++k] = q
    start[k] = from
  }
  if (k < 0) return values
  start[k + 1] = Infinity
  return sample(values, apex, start)
}

function sample (values: Float64Array, apex: Int32Array, start: Float64Array): Float64Array {
  let k = 0
  return values.map((_, x) => {
    while (start[k + 1]! < x) k++
    const p = apex[k]!
    return (x - p) ** 2 + values[p]!
  })
}

/** Exact squared Euclidean distance of every pixel to the nearest marked one; Infinity where nothing is marked. */
export function squaredDistances (marked: Uint8Array, height: number, width: number): Float64Array {
  const result = Float64Array.from(marked, (value) => value > 0 ? 0 : Infinity)
  for (let x = 0; x < width; x++) {
    const column = envelope(Float64Array.from({ length: height }, (_, y) => result[y * width + x]!))
    column.forEach((value, y) => { result[y * width + x] = value })
  }
  for (let y = 0; y < height; y++) result.set(envelope(result.subarray(y * width, (y + 1) * width)), y * width)
  return result
}
