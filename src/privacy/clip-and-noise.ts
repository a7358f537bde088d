/** The factor by which these numbers are shortened to this length; 1 where they are no longer. The length is summed in float64. */
export function shortening (values: Float32Array, clip: number): number {
  let squares = 0
  for (const value of values) squares += value * value
  const length = Math.sqrt(squares)
  return length > clip ? clip / length : 1
}

/** A copy that is no longer than `clip`, with noise of `noise` times that on every number; `normal` draws the standard normal. */
export function clippedAndNoised (
  values: Float32Array,
  { clip, noise, normal }: { readonly clip: number, readonly noise: number, readonly normal: () => number }
): Float32Array {
  const factor = shortening(values, clip)
  return values.map((value) => value * factor + noise * clip * normal())
}
