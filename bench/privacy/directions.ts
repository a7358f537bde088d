type Floats = Float32Array | Float64Array

export function dot (a: Floats, b: Floats): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

export function norm (values: Floats): number {
  return Math.sqrt(dot(values, values))
}

/** NaN where one has no direction. */
export function cosine (a: Floats, b: Floats): number {
  return dot(a, b) / (norm(a) * norm(b))
}
