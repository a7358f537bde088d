import { secretNormal } from './secret-noise.ts'

type Floats = Float32Array | Float64Array

/** A copy that is no longer than `clip`, its length summed in float64; nothing of what is not finite is left. */
export function clipped<T extends Floats> (values: T, clip: number): T {
  let squares = 0
  for (const value of values) squares += value * value
  const length = Math.sqrt(squares)
  if (!Number.isFinite(length)) return values.map(() => 0) as T
  const factor = Math.min(1, clip / length)
  return (length === 0 ? values.slice() : values.map((value) => value * factor)) as T
}

/** A copy that is no longer than `clip`, with noise of `noise` times that on every number; `normal` draws the standard normal. */
export function clippedAndNoised (
  values: Float32Array,
  { clip, noise, normal }: { readonly clip: number, readonly noise: number, readonly normal: () => number }
): Float32Array {
  return Float32Array.from(clipped(Float64Array.from(values), clip), (value) => value + noise * clip * normal())
}

/** What is done to one landing of a site, each with noise of its own that nobody can repeat. */
export function hiding ({ clip, noise }: { readonly clip: number, readonly noise: number }): (delta: Float32Array) => Float32Array {
  return (delta) => clippedAndNoised(delta, { clip, noise, normal: secretNormal() })
}
