/** Codes float32 numbers. Both ends of an exchange compute with what the codes say, so any coder conserves Σw·x. */
export interface Coder {
  readonly bytesOf: (floats: number) => number
  /** Numbers in a full chunk. */
  readonly chunkFloats: number
  /** Codes say the very same numbers: encoding overwrites nothing. */
  readonly isExact: boolean
  /** The codes; `values` are overwritten by what these say. The result may be a view of `values`. */
  readonly encode: (values: Float32Array) => Uint8Array
  /**
   * What bytesOf(count) codes say, whatever they hold (perhaps numbers that are not finite); good until the next call, and perhaps a
   * view of `bytes`.
   */
  readonly decode: (bytes: Uint8Array, count: number) => Float32Array
}
