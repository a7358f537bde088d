/** In float64 and always the same order, so that two sites get the same sum; not finite as soon as one value is not. Four sums hide the latency of addition. */
export function sumOfSquares (values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  const whole = values.length - values.length % 4
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * values[i]!
    b += values[i + 1]! * values[i + 1]!
    c += values[i + 2]! * values[i + 2]!
    d += values[i + 3]! * values[i + 3]!
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * values[i]!
  return a + b + (c + d)
}

/** into ← theirs − own, rounded to float32 as at the partner, and sumOfSquares(into): in one pass, since memory is what it waits for. */
export function subtract (theirs: Float32Array, own: Float32Array, into: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  const whole = into.length - into.length % 4
  for (let i = 0; i < whole; i += 4) {
    const first = Math.fround(theirs[i]! - own[i]!)
    const second = Math.fround(theirs[i + 1]! - own[i + 1]!)
    const third = Math.fround(theirs[i + 2]! - own[i + 2]!)
    const fourth = Math.fround(theirs[i + 3]! - own[i + 3]!)
    into[i] = first
    into[i + 1] = second
    into[i + 2] = third
    into[i + 3] = fourth
    a += first * first
    b += second * second
    c += third * third
    d += fourth * fourth
  }
  for (let i = whole; i < into.length; i++) {
    into[i] = theirs[i]! - own[i]!
    a += into[i]! * into[i]!
  }
  return a + b + (c + d)
}
