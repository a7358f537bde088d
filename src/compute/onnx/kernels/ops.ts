/** Building blocks that the kernels share. */
import { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import { broadcastShape, elementCodes, elementwise, expand, int64s, operation, sameShape, scalar, sizeOf } from '../value.ts'
import type { ElementType, Value } from '../value.ts'

export function cast (value: Value, type: ElementType): Value {
  if (value.type === type) return value
  return elementwise('Cast', [value], type, { to: { i: elementCodes[type] } })
}

/** Floats stay as they are; anything else becomes float32. */
export function asFloat (value: Value): Value {
  return cast(value, 'float32')
}

/** Element-wise arithmetic in the type of the first operand; booleans count as 0 and 1. */
export function arithmetic (type: string, ...operands: Value[]): Value {
  const first = operands[0] as Value
  if (first.type !== 'bool') return elementwise(type, operands, first.type)
  return cast(elementwise(type, operands.map((operand) => cast(operand, 'int32')), 'int32'), 'bool')
}

export function add (a: Value, b: Value): Value {
  if (b.uniform() === 0) return broadcast(a, b)
  if (a.uniform() === 0) return broadcast(b, a)
  return arithmetic('Add', a, b)
}

export function subtract (a: Value, b: Value): Value {
  return b.uniform() === 0 ? broadcast(a, b) : arithmetic('Sub', a, b)
}

export function multiply (a: Value, b: Value): Value {
  if (b.uniform() === 1) return broadcast(a, b)
  if (a.uniform() === 1) return broadcast(b, a)
  return arithmetic('Mul', a, b)
}

export function divide (a: Value, b: Value): Value {
  return b.uniform() === 1 ? broadcast(a, b) : arithmetic('Div', a, b)
}

/** Whether an element is NaN, for floats. */
export function isNaNs (x: Value): Value {
  return elementwise('IsNaN', [x], 'bool')
}

/** The number as a scalar of the same type as `like`. */
export function same (number: number, like: Value): Value {
  return scalar(number, like.type)
}

export function where (condition: Value, yes: Value, no: Value): Value {
  if (yes.type === 'bool') return cast(where(condition, cast(yes, 'int32'), cast(no, 'int32')), 'bool')
  return elementwise('Where', [cast(condition, 'bool'), yes, no], yes.type)
}

export function compare (type: string, a: Value, b: Value): Value {
  return elementwise(type, a.type === 'bool' ? [cast(a, 'int32'), cast(b, 'int32')] : [a, b], 'bool')
}

export function transpose (value: Value, permutation: readonly number[]): Value {
  const shape = permutation.map((axis) => value.shape[axis] as number)
  if (isUniform(value)) return expand(value, shape)
  const moved = permutation.filter((axis) => value.shape[axis] !== 1)
  if (moved.every((axis, index) => index === 0 || axis > (moved[index - 1] as number))) return value.view(shape)
  return operation('Transpose', [value], { shape, type: value.type }, { perm: { ints: permutation } })
}

export function concat (values: readonly Value[], axis: number): Value {
  const first = values[0] as Value
  backendUtil.assertParamsConsistent(values.map((value) => [...value.shape]), axis)
  const shape = first.shape.map((extent, index) =>
    index === axis ? values.reduce((sum, value) => sum + (value.shape[axis] as number), 0) : extent
  )
  const full = values.filter((value) => value.size > 0)
  if (full.length === 0) return first.view(shape)
  if (full.length === 1) return (full[0] as Value).view(shape)
  return operation('Concat', full, { shape, type: first.type }, { axis: { i: axis } })
}

export interface Range { readonly begin: readonly number[], readonly end: readonly number[], readonly strides: readonly number[] }

/** `begin` to `end` (exclusive) of every axis; a negative stride walks backwards and its `end` may be −1 (before the first). */
export function slice (value: Value, { begin, end, strides }: Range): Value {
  const shape = begin.map((first, axis) => Math.max(0, Math.ceil(((end[axis] as number) - first) / (strides[axis] as number))))
  if (sameShape(shape, value.shape) && strides.every((stride) => stride === 1)) return value
  if (isUniform(value)) return expand(value, shape)
  const axes = begin.map((_, axis) => axis).filter((axis) => shape[axis] !== value.shape[axis] || strides[axis] !== 1)
  // ONNX counts a negative end from the back: only a very small one means "before the first".
  const bound = (axis: number): number => (end[axis] as number) < 0 ? -0x7fffffff : end[axis] as number
  const pick = (numbers: (axis: number) => number): Value => int64s(axes.map(numbers))
  const inputs = [value, pick((axis) => begin[axis] as number), pick(bound), pick((axis) => axis), pick((axis) => strides[axis] as number)]
  return operation('Slice', inputs, { shape, type: value.type })
}

/** `value` broadcast to the shape that it takes together with `other`. */
export function broadcast (value: Value, other: Value): Value {
  return expand(value, broadcastShape([value.shape, other.shape]))
}

export function isUniform (value: Value): boolean {
  return value.compact?.size === 1 && sizeOf(value.shape) !== 1
}
