import { createHash } from 'node:crypto'
import { SchemaError } from '../errors.ts'

/** Which part of the model a tensor belongs to. */
export type TensorRole = 'lora' | 'decoder' | 'encoder'

/** One tensor of a schema. */
export interface TensorSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly role: TensorRole
}

/** What two adapters must have in common before their numbers may meet. */
export interface Schema {
  readonly model: string
  readonly baseHash: string
  /** In name order (ASCII). */
  readonly tensors: readonly TensorSpec[]
  /** Floats in all tensors together. */
  readonly size: number
  /** SHA-256, 64 hex digits. */
  readonly hash: string
}

const MAX_FLOATS = 2 ** 29
// Printable ASCII without spaces: sorts the same in every language.
const NAME = /^[\x21-\x7e]{1,255}$/
const UNSAFE_NAMES = new Set(['__proto__', 'constructor', 'prototype', '__metadata__'])
const ROLES = new Set<TensorRole>(['lora', 'decoder', 'encoder'])

/** True for names that no tensor may carry, because they collide with JavaScript's or the file format's own. */
export function isUnsafeName (name: string): boolean {
  return name === '' || UNSAFE_NAMES.has(name)
}

/** Elements in a tensor of this shape; NaN for anything but non-negative integers whose product is exact. */
export function elementCount (shape: readonly unknown[]): number {
  let count = 1
  for (const side of shape) {
    if (!Number.isSafeInteger(side) || (side as number) < 0) return NaN
    count *= side as number
    if (!Number.isSafeInteger(count)) return NaN
  }
  return count
}

function checkTensor ({ name, shape, role }: TensorSpec): void {
  if (!NAME.test(name) || isUnsafeName(name)) {
    throw new SchemaError(`"${name}" cannot be the name of an adapter tensor; use printable ASCII without spaces`)
  }
  if (name.toLowerCase().includes('lmoe') || name.toLowerCase().startsWith('own.')) {
    throw new SchemaError(`tensor ${name} belongs to the private parameters of a site and must not be part of an adapter`)
  }
  if (!(elementCount(shape) > 0)) {
    throw new SchemaError(`tensor ${name} has the impossible shape [${shape.join(', ')}]; sides must be positive integers`)
  }
  if (!ROLES.has(role)) throw new SchemaError(`tensor ${name} has the unknown role "${role}"; use lora, decoder or encoder`)
}

/** JSON arrays of strings and integers: one text per schema, and no two schemas share a text. */
function canonical (model: string, baseHash: string, tensors: readonly TensorSpec[]): string {
  return JSON.stringify(['consilium-adapter/1', model, baseHash, tensors.map(({ name, shape, role }) => [name, shape, role])])
}

/**
 * Sorts and checks the tensors and hashes the result; SchemaError for duplicates, bad names, shapes or roles.
 * @example
 * ```ts
 * import { createSchema } from 'consilium'
 *
 * const schema = createSchema({ model: 'toy', baseHash: '00', tensors: [{ name: 'a', shape: [2, 3], role: 'lora' }] })
 * console.log(schema.size) // 6
 * ```
 */
export function createSchema (init: { model: string, baseHash: string, tensors: readonly TensorSpec[] }): Schema {
  const { model, baseHash } = init
  if (model === '' || baseHash === '') throw new SchemaError('an adapter schema needs a model id and a base hash')
  if (init.tensors.length === 0) throw new SchemaError(`the adapter schema of model ${model} has no tensors`)
  init.tensors.forEach(checkTensor)
  const tensors = init.tensors
    .map(({ name, shape, role }) => ({ name, shape: [...shape], role }))
    .sort((a, b) => a.name < b.name ? -1 : Number(a.name > b.name))
  const repeated = tensors.find(({ name }, index) => name === tensors[index + 1]?.name)
  if (repeated != null) throw new SchemaError(`tensor ${repeated.name} occurs twice in the adapter schema`)
  const size = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)
  if (size > MAX_FLOATS) throw new SchemaError(`the adapter of model ${model} would hold ${size} numbers; the most is ${MAX_FLOATS}`)
  const hash = createHash('sha256').update(canonical(model, baseHash, tensors)).digest('hex')
  return { model, baseHash, tensors, size, hash }
}
