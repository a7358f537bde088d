import * as tf from '@tensorflow/tfjs-core'
import { elementCount } from '../../adapter/schema.ts'
import type { TensorRecord } from '../../compute/index.ts'
import { SchemaError } from '../../errors.ts'

/** The order in which named tensors lie end to end in one vector: one optimiser update for all of them. */
export interface Layout {
  readonly entries: readonly { readonly name: string, readonly shape: readonly number[], readonly offset: number, readonly size: number }[]
  readonly size: number
}

/** Lays tensors out in the given order. */
export function createLayout (tensors: Iterable<{ readonly name: string, readonly shape: readonly number[] }>): Layout {
  let offset = 0
  const entries = [...tensors].map(({ name, shape }) => {
    const size = elementCount(shape)
    offset += size
    return { name, shape, offset: offset - size, size }
  })
  return { entries, size: offset }
}

/** Gathers the layout's tensors from host arrays. @throws SchemaError when one is missing or of another length. */
export function flatten (layout: Layout, tensors: Readonly<Record<string, { readonly data: Float32Array }>>): Float32Array {
  const flat = new Float32Array(layout.size)
  for (const { name, offset, size } of layout.entries) {
    const data = tensors[name]?.data
    if (data?.length !== size) throw new SchemaError(`tensor ${name} should hold ${size} numbers and holds ${data?.length ?? 'none'}`)
    flat.set(data, offset)
  }
  return flat
}

/** Views of a flat host vector, by name. */
export function unflatten (layout: Layout, flat: Float32Array): Map<string, { shape: readonly number[], data: Float32Array }> {
  return new Map(layout.entries.map(({ name, shape, offset, size }) => [name, { shape, data: flat.subarray(offset, offset + size) }]))
}

/** The named tensors of a flat tensor, inside a step; its gradient is one concatenation. */
export function unpack (layout: Layout, flat: tf.Tensor): TensorRecord {
  if (layout.entries.length === 0) return {}
  const parts = tf.split(flat, layout.entries.map(({ size }) => size))
  return Object.fromEntries(layout.entries.map(({ name, shape }, i) => [name, tf.reshape(parts[i]!, [...shape])]))
}

/** A host vector that holds, for every number of the layout, what `value` says about its tensor. */
export function perElement (layout: Layout, value: (entry: Layout['entries'][number]) => number): Float32Array {
  const flat = new Float32Array(layout.size)
  for (const entry of layout.entries) flat.fill(value(entry), entry.offset, entry.offset + entry.size)
  return flat
}
