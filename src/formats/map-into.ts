/** Every number changed, into an array of another type; `from` of typed arrays first makes a list that takes ten times as much. */
export function mapInto<N extends number | bigint, T extends { [at: number]: number }> (
  values: { readonly length: number, readonly [at: number]: N },
  out: T,
  change: (value: N) => number
): T {
  for (let i = 0; i < values.length; i++) out[i] = change(values[i]!)
  return out
}

/** Whole numbers of 64 bits, as near as floating-point numbers come. */
export function toFloats (values: BigInt64Array | BigUint64Array): Float64Array {
  return mapInto<bigint, Float64Array>(values, new Float64Array(values.length), Number)
}
