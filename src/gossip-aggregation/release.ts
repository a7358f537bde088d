import type { Schema } from '../adapter/schema.ts'
import { SchemaError } from '../errors.ts'
import { sumOfSquares } from './vectors/arithmetic.ts'

declare const passed: unique symbol

/** A vector that went through the release gate and does not change any more; nothing else may be sent. */
export interface Released {
  readonly values: Float32Array
  /** ‖values‖. */
  readonly norm: number
  readonly [passed]: true
}

/** Numbers looked at between two yields: far below a millisecond. */
export const SLICE = 65_536

/**
 * The gate through which every outgoing vector passes (docs/spec/gossip.md#release-gate): exactly the schema's count, finite, ‖x‖ ≤
 * normBound. Checked in slices; copied into `into` on the way where there is one, else `values` themselves are let out and must stay as
 * they are. `squares` is Σ values² if whoever changed them last has summed it up: it is finite only if all of them are, and spares the
 * look at what is not copied.
 * @throws SchemaError when the vector must not leave.
 */
export function * release (
  schema: Schema,
  values: Float32Array,
  { normBound, into = values, squares }: { normBound: number, into?: Float32Array, squares?: number | undefined }
): Generator<void, Released> {
  if (values.length !== schema.size) {
    throw new SchemaError(
      `an adapter of model ${schema.model} has ${schema.size} numbers, not ${values.length}: it must not leave this site`
    )
  }
  const known = into === values ? squares : undefined
  const norm = Math.sqrt(known ?? (yield * sumInSlices(values, into)))
  if (!Number.isFinite(norm)) throw new SchemaError('the adapter holds a value that is not finite: it must not leave this site')
  if (norm > normBound) {
    throw new SchemaError(
      `the adapter's norm ${norm.toPrecision(4)} is over the federation's bound ${normBound}: it must not leave this site`
    )
  }
  return { values: into, norm } as Released
}

function * sumInSlices (values: Float32Array, into: Float32Array): Generator<void, number> {
  let squares = 0
  for (let begin = 0; begin < values.length; begin += SLICE) {
    if (into !== values) into.set(values.subarray(begin, begin + SLICE), begin)
    squares += sumOfSquares(into.subarray(begin, begin + SLICE))
    yield
  }
  return squares
}

/**
 * The one place where numbers become bytes for a partner: of a vector that passed the gate, from `begin` to `end`, which `encode` may
 * overwrite.
 */
export function encodeReleased (
  { values }: Released,
  { begin, end }: { begin: number, end: number },
  encode: (values: Float32Array) => Uint8Array
): Uint8Array {
  return encode(values.subarray(begin, end))
}
