/** Codes float32 numbers. Both ends of an exchange compute with what the codes say, so any coder conserves Σw·x. */
export interface Coder {
  readonly bytesOf: (floats: number) => number
  /** Numbers in a full chunk. */
  readonly chunkFloats: number
  /** The codes; `values` are overwritten by what these say. The result may be a view of `values`. */
  readonly encode: (values: Float32Array) => Uint8Array
  /** Codes of exactly values.length numbers, whatever they hold (perhaps numbers that are not finite). */
  readonly decode: (bytes: Uint8Array, values: Float32Array) => void
}
