import { backend_util as backendUtil, slice_util as sliceUtil, util } from '@tensorflow/tfjs-core'
import type {
  ConcatAttrs,
  DepthToSpaceAttrs,
  ExpandDimsAttrs,
  FillAttrs,
  PackAttrs,
  PadV2Attrs,
  ReverseAttrs,
  SliceAttrs,
  SplitVAttrs,
  StridedSliceAttrs,
  TensorInfo,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs
} from '@tensorflow/tfjs-core'
import { elementType } from '../types.ts'
import { expand, int64s, operation, operations, scalar } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel, listKernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { cast, concat, isUniform, same, slice, transpose } from './ops.ts'

function axisOf (axis: number, shape: readonly number[]): number {
  return util.parseAxisParam(axis, [...shape])[0] ?? 0
}

function join (values: readonly Value[], axis: number): Value {
  return concat(values, axisOf(axis, (values[0] as Value).shape))
}

function pack (values: readonly Value[], axis: number): Value {
  const { shape, type } = values[0] as Value
  for (const value of values) {
    util.assertShapesMatch([...shape], [...value.shape], 'all tensors passed to stack must have matching shapes')
    util.assert(value.type === type, () => 'all tensors passed to stack must have matching types')
  }
  const position = axis < 0 ? axis + shape.length + 1 : axis
  return concat(values.map((value) => value.view([...shape.slice(0, position), 1, ...shape.slice(position)])), position)
}

function split (x: Value, sizes: readonly number[], axis: number): Value[] {
  if (sizes.length === 1) return [x]
  const results = sizes.map((size) => ({ shape: x.shape.map((extent, index) => index === axis ? size : extent), type: x.type }))
  if (isUniform(x)) return results.map(({ shape }) => expand(x.compact as Value, shape))
  return operations('Split', [x, int64s(sizes)], results, { axis: { i: axis } })
}

function unpack (value: Value, axis: number): Value[] {
  const position = axisOf(axis, value.shape)
  const shape = value.shape.filter((_, index) => index !== position)
  const count = value.shape[position] as number
  return split(value, new Array<number>(count).fill(1), position).map((part) => part.view(shape))
}

function splitV (x: Value, { numOrSizeSplits, axis }: SplitVAttrs): Value[] {
  const position = axisOf(axis, x.shape)
  return split(x, backendUtil.prepareSplitSize(asTensor(x) as never, numOrSizeSplits, position), position)
}

/** What tfjs' shape helpers read of a tensor. */
function asTensor (x: Value): Pick<TensorInfo, 'shape'> {
  return { shape: [...x.shape] }
}

export function pad (x: Value, { paddings, constantValue }: PadV2Attrs): Value {
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return x
  const shape = x.shape.map((extent, axis) => extent + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0))
  if (x.uniform() === constantValue || x.size === 0) return expand(same(constantValue, x), shape)
  const pads = int64s([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)])
  const source = cast(x, x.type === 'bool' ? 'int32' : x.type)
  return cast(
    operation('Pad', [source, pads, same(constantValue, source)], { shape, type: source.type }, { mode: { s: 'constant' } }),
    x.type
  )
}

function cut (x: Value, { begin, size }: SliceAttrs): Value {
  sliceUtil.assertParamsValid(
    asTensor(x) as never,
    ...sliceUtil.parseSliceParams(asTensor(x) as never, begin, size) as [number[], number[]]
  )
  const [start, extents] = sliceUtil.parseSliceParams(asTensor(x) as never, begin, size) as [number[], number[]]
  return slice(x, { begin: start, end: start.map((first, axis) => first + (extents[axis] as number)), strides: start.map(() => 1) })
}

function stridedSlice (x: Value, attributes: StridedSliceAttrs): Value {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes
  const info = sliceUtil.sliceInfo([...x.shape], begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask)
  if (info.finalShape.includes(0)) return expand(same(0, x), info.finalShape)
  return slice(x, info).view(info.finalShape)
}

function reverse (x: Value, dims: number | number[]): Value {
  const axes = util.parseAxisParam(dims, [...x.shape])
  const backwards = (axis: number): boolean => axes.includes(axis)
  return slice(x, {
    begin: x.shape.map((extent, axis) => backwards(axis) ? extent - 1 : 0),
    end: x.shape.map((extent, axis) => backwards(axis) ? -1 : extent),
    strides: x.shape.map((_, axis) => backwards(axis) ? -1 : 1)
  })
}

function tile (x: Value, repetitions: readonly number[]): Value {
  const shape = x.shape.map((extent, axis) => extent * (repetitions[axis] as number))
  if (x.shape.every((extent, axis) => extent === 1 || repetitions[axis] === 1)) return expand(x, shape)
  return operation('Tile', [x, int64s(repetitions)], { shape, type: x.type })
}

function depthToSpace (x: Value, { blockSize: block, dataFormat }: DepthToSpaceAttrs): Value {
  if (dataFormat !== 'NHWC') throw new Error('the onnx backend knows depthToSpace only for NHWC tensors: transpose first')
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const depth = channels / (block * block)
  return transpose(x.view([batch, height, width, block, block, depth]), [0, 1, 3, 2, 4, 5]).view([
    batch,
    height * block,
    width * block,
    depth
  ])
}

function expandDims (input: Value, dim: number): Value {
  util.assert(
    dim >= -(input.shape.length + 1) && dim <= input.shape.length,
    () => `axis must be from ${-(input.shape.length + 1)} to ${input.shape.length}, not ${dim}`
  )
  const position = dim < 0 ? dim + input.shape.length + 1 : dim
  return input.view([...input.shape.slice(0, position), 1, ...input.shape.slice(position)])
}

function fill ({ shape, value, dtype }: FillAttrs): Value {
  if (typeof value === 'string') throw new Error('the onnx backend has no string tensors: fill with a number')
  const type = dtype === undefined ? 'float32' : elementType(dtype)
  return expand(scalar(value, type), shape)
}

export const shapeKernels: Kernel[] = [
  listKernel<ConcatAttrs>('Concat', (values, { axis }) => join(values, axis)),
  listKernel<PackAttrs>('Pack', (values, { axis }) => pack(values, axis)),
  kernel<'value', UnpackAttrs>('Unpack', ({ value }, { axis }) => unpack(value, axis)),
  kernel<'x', SplitVAttrs>('SplitV', ({ x }, attributes) => splitV(x, attributes)),
  kernel<'x', PadV2Attrs>('PadV2', ({ x }, attributes) => pad(x, attributes)),
  kernel<'x', SliceAttrs>('Slice', ({ x }, attributes) => cut(x, attributes)),
  kernel<'x', StridedSliceAttrs>('StridedSlice', ({ x }, attributes) => stridedSlice(x, attributes)),
  kernel<'x', ReverseAttrs>('Reverse', ({ x }, { dims }) => reverse(x, dims)),
  kernel<'x', TileAttrs>('Tile', ({ x }, { reps }) => tile(x, reps)),
  kernel<'x', TransposeAttrs>('Transpose', ({ x }, { perm }) => transpose(x, perm)),
  kernel<'x', DepthToSpaceAttrs>('DepthToSpace', ({ x }, attributes) => depthToSpace(x, attributes)),
  kernel<'input', ExpandDimsAttrs>('ExpandDims', ({ input }, { dim }) => expandDims(input, dim)),
  kernel<never, FillAttrs>('Fill', (_, attributes) => fill(attributes)),
  kernel<'x'>('ZerosLike', ({ x }) => expand(same(0, x), x.shape)),
  kernel<'x'>('OnesLike', ({ x }) => expand(same(1, x), x.shape))
]
