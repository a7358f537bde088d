/** Every number changed, into an array of another type; `from` of typed arrays first makes a list that takes ten times as much. */
export function mapInto<T extends { [at: number]: number }> (
  values: { readonly length: number, readonly [at: number]: number },
  out: T,
  change: (value: number) => number
): T {
  for (let i = 0; i < values.length; i++) out[i] = change(values[i]!)
  return out
}

const HALF = 2 ** 32

/**
 * Whole numbers of 64 bits, as near as floating-point numbers come, in the same memory: `values` are gone. A BigInt for each would take
 * several times as much.
 */
export function toFloats (values: BigInt64Array | BigUint64Array): Float64Array {
  const { buffer, byteOffset, length } = values
  const low = new Uint32Array(buffer, byteOffset, 2 * length)
  const high = values instanceof BigInt64Array ? new Int32Array(buffer, byteOffset, 2 * length) : low
  const floats = new Float64Array(buffer, byteOffset, length)
  for (let i = 0; i < length; i++) floats[i] = high[2 * i + 1]! * HALF + low[2 * i]!
  return floats
}
