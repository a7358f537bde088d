import { util } from '@tensorflow/tfjs-core'
import type {
  AllAttrs,
  ArgMaxAttrs,
  CumsumAttrs,
  LogSoftmaxAttrs,
  MaxAttrs,
  SoftmaxAttrs,
  SumAttrs,
  TopKAttrs
} from '@tensorflow/tfjs-core'
import { expand, int64s, operation, operations, scalar, sizeOf } from '../value.ts'
import type { ElementType, Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { asFloat, cast, divide, isNaNs, multiply, same, slice, where } from './ops.ts'
import { pad } from './shape.ts'

type Axes = number | number[] | undefined

/**
 * Sums longer than this are taken in two stages, those over contiguous numbers above `longSum`: a long float32 sum loses digits that
 * training feels.
 */
const shortSum = 256
const longSum = 4096

function axesOf (axis: Axes, x: Value): number[] {
  return util.parseAxisParam(axis ?? x.shape.map((_, index) => index), [...x.shape]).sort((a, b) => a - b)
}

function reducedShape (shape: readonly number[], axes: readonly number[], keep: boolean): number[] {
  return keep ? shape.map((extent, axis) => axes.includes(axis) ? 1 : extent) : shape.filter((_, axis) => !axes.includes(axis))
}

export function reduce (type: string, x: Value, axes: readonly number[], keep: boolean): Value {
  const shape = reducedShape(x.shape, axes, keep)
  const count = countOf(x, axes)
  // An ONNX reduction over no axes would be one over all of them.
  if (count === 1 && axes.every((axis) => x.shape[axis] === 1)) return x.view(shape)
  return operation(type, [x, int64s(axes)], { shape, type: x.type }, { keepdims: { i: Number(keep) } })
}

/** Long sums in two stages. */
export function sum (x: Value, axes: readonly number[], keep: boolean): Value {
  const count = countOf(x, axes)
  const shape = reducedShape(x.shape, axes, keep)
  const uniform = x.uniform()
  if (uniform !== undefined && x.type === 'float32') return expand(scalar(uniform * count, 'float32'), shape)
  if (x.type !== 'float32' || count <= shortSum) return reduce('ReduceSum', x, axes, keep)
  const first = axes[0] as number
  const isRun = axes.every((axis, index) => axis === first + index)
  if (!isRun) return sum(sum(x, axes.slice(-1), true), axes.slice(0, -1), true).view(shape)
  return staged(x, [sizeOf(x.shape.slice(0, first)), count, sizeOf(x.shape.slice(first + axes.length))]).view(shape)
}

/** The sum over the middle of [outer, count, inner]; no ones around it, so that what lies beneath a view is often taken as it is. */
function staged (x: Value, [outer, count, inner]: [number, number, number]): Value {
  const [before, after] = [[outer], [inner]].map((extents) => extents.filter((extent) => extent !== 1)) as [number[], number[]]
  const axis = before.length
  // Along contiguous numbers ONNX Runtime keeps several partial sums, which is a stage of its own.
  if (inner === 1 && count <= longSum) return reduce('ReduceSum', x.view([...before, count]), [axis], false)
  const stages = factor(count)
  return reduce('ReduceSum', reduce('ReduceSum', x.view([...before, stages, count / stages, ...after]), [axis + 1], false), [axis], false)
}

function countOf (x: Value, axes: readonly number[]): number {
  return sizeOf(axes.map((axis) => x.shape[axis] as number))
}

/** The largest divisor of `extent` up to its square root. */
function factor (extent: number): number {
  let divisor = Math.floor(Math.sqrt(extent))
  while (extent % divisor !== 0) divisor--
  return divisor
}

export function mean (x: Value, axes: readonly number[], keep: boolean): Value {
  const count = countOf(x, axes)
  const contiguous = axes.length === 1 && axes[0] === x.shape.length - 1 && count <= longSum
  if (count <= shortSum || contiguous) return reduce('ReduceMean', x, axes, keep)
  return divide(sum(x, axes, keep), same(count, x))
}

function test (type: string, x: Value, { axis, keepDims }: AllAttrs): Value {
  return cast(reduce(type, cast(x, 'int32'), axesOf(axis, x), keepDims), 'bool')
}

/** NaN where one of the numbers is; ONNX Runtime may pass over it. */
function extreme (type: string, x: Value, axes: readonly number[], keep: boolean): Value {
  const result = reduce(type, x, axes, keep)
  if (x.type !== 'float32') return result
  const broken = reduce('ReduceMax', cast(isNaNs(x), 'int32'), axes, keep)
  return where(broken, same(NaN, x), result)
}

function arg (type: string, x: Value, axis: number): Value {
  const [last = 0] = util.parseAxisParam(axis, [...x.shape])
  const shape = reducedShape(x.shape, [last], false)
  const numbers = x.type === 'float32' ? where(isNaNs(x), same(type === 'ArgMax' ? -Infinity : Infinity, x), x) : cast(x, 'int32')
  const index = operation(type, [numbers], { shape, type: 'int64' }, { axis: { i: last }, keepdims: { i: 0 } })
  return cast(index, 'int32')
}

/** Sorted either way, as tfjs' own backends have it. */
function topK (x: Value, k: number): Value[] {
  const shape = [...x.shape.slice(0, -1), k]
  const results: Array<{ shape: number[], type: ElementType }> = [{ shape, type: x.type }, { shape, type: 'int64' }]
  const [values, indices] = operations('TopK', [x, int64s([k])], results, { axis: { i: -1 }, sorted: { i: 1 } }) as [Value, Value]
  return [values, cast(indices, 'int32')]
}

function along (type: string, x: Value, dim: number): Value {
  const [axis = 0] = util.parseAxisParam(dim, [...x.shape])
  return operation(type, [asFloat(x)], { shape: x.shape, type: 'float32' }, { axis: { i: axis } })
}

function cumulate (x: Value, { axis, exclusive, reverse }: CumsumAttrs): Value {
  const numbers = cast(x, x.type === 'bool' ? 'int32' : x.type)
  return operation('CumSum', [numbers, scalar(axis, 'int32')], { shape: x.shape, type: numbers.type }, {
    exclusive: { i: Number(exclusive) },
    reverse: { i: Number(reverse) }
  })
}

/** ONNX has no cumulative product: after step k every element holds the product of the 2ᵏ elements up to it. */
function cumulativeProduct (x: Value, { axis, exclusive, reverse }: CumsumAttrs): Value {
  const extent = x.shape[axis] as number
  const start = exclusive ? shifted(x, axis, 1, reverse) : x
  const distances = Array.from({ length: Math.ceil(Math.log2(Math.max(1, extent))) }, (_, power) => 2 ** power)
  return distances.reduce((product, distance) => multiply(product, shifted(product, axis, distance, reverse)), start)
}

/** Moved along the axis, away from its start (or end); ones come in. */
function shifted (x: Value, axis: number, distance: number, reverse: boolean): Value {
  const begin = x.shape.map((_, index) => index === axis && reverse ? distance : 0)
  const end = x.shape.map((extent, index) => index !== axis ? extent : reverse ? extent : extent - distance)
  const kept = slice(x, { begin, end, strides: x.shape.map(() => 1) })
  return pad(kept, {
    paddings: x.shape.map((_, index): [number, number] => index !== axis ? [0, 0] : reverse ? [0, distance] : [distance, 0]),
    constantValue: 1
  })
}

export const reductionKernels: Kernel[] = [
  kernel<'x', SumAttrs>(
    'Sum',
    ({ x }, { axis, keepDims }) => sum(cast(x, x.type === 'bool' ? 'int32' : x.type), axesOf(axis, x), keepDims)
  ),
  kernel<'x', SumAttrs>('Mean', ({ x }, { axis, keepDims }) => mean(asFloat(x), axesOf(axis, x), keepDims)),
  kernel<'x', SumAttrs>(
    'Prod',
    ({ x }, { axis, keepDims }) => reduce('ReduceProd', cast(x, x.type === 'bool' ? 'int32' : x.type), axesOf(axis, x), keepDims)
  ),
  kernel<'x', MaxAttrs>('Max', ({ x }, { reductionIndices, keepDims }) => extreme('ReduceMax', x, axesOf(reductionIndices, x), keepDims)),
  kernel<'x', SumAttrs>('Min', ({ x }, { axis, keepDims }) => extreme('ReduceMin', x, axesOf(axis, x), keepDims)),
  kernel<'x', AllAttrs>('All', ({ x }, attributes) => test('ReduceMin', x, attributes)),
  kernel<'x', AllAttrs>('Any', ({ x }, attributes) => test('ReduceMax', x, attributes)),
  kernel<'x', ArgMaxAttrs>('ArgMax', ({ x }, { axis }) => arg('ArgMax', x, axis)),
  kernel<'x', ArgMaxAttrs>('ArgMin', ({ x }, { axis }) => arg('ArgMin', x, axis)),
  kernel<'x', TopKAttrs>('TopK', ({ x }, { k }) => topK(x, k)),
  kernel<'logits', SoftmaxAttrs>('Softmax', ({ logits }, { dim }) => along('Softmax', logits, dim)),
  kernel<'logits', LogSoftmaxAttrs>('LogSoftmax', ({ logits }, { axis }) => along('LogSoftmax', logits, axis)),
  kernel<'x', CumsumAttrs>('Cumprod', ({ x }, attributes) => cumulativeProduct(cast(x, x.type === 'bool' ? 'int32' : x.type), attributes)),
  kernel<'x', CumsumAttrs>('Cumsum', ({ x }, attributes) => cumulate(x, attributes))
]
