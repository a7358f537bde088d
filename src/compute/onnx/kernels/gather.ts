import { backend_util as backendUtil, util } from '@tensorflow/tfjs-core'
import type { GatherV2Attrs, OneHotAttrs, Tensor, UnsortedSegmentSumAttrs } from '@tensorflow/tfjs-core'
import { elementType } from '../types.ts'
import { constant, elementwise, expand, operation, scalar } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { cast, compare, same, slice, transpose, where } from './ops.ts'

function gather (x: Value, indices: Value, axis: number): Value {
  const [position = 0] = util.parseAxisParam(axis, [...x.shape])
  const shape = [...x.shape.slice(0, position), ...indices.shape, ...x.shape.slice(position + 1)]
  return operation('Gather', [x, cast(indices, 'int32')], { shape, type: x.type }, { axis: { i: position } })
}

/** Batched gather as a plain one: all batches become one table with offsets added to the indices. */
function gatherV2 (x: Value, indices: Value, { axis, batchDims }: GatherV2Attrs): Value {
  const [position = 0] = util.parseAxisParam(axis, [...x.shape])
  const info = backendUtil.segment_util.collectGatherOpShapeInfo(tensorLike(x), tensorLike(indices), position, batchDims)
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info
  checkRange(indices, dimSize)
  if (batchSize === 1) return gather(x, indices.view(indices.shape.slice(batchDims)), position).view(outputShape)
  const count = indices.size / batchSize
  const offsets = constant(Int32Array.from({ length: batchSize }, (_, batch) => batch * dimSize), [batchSize, 1], 'int32')
  const flat = elementwise('Add', [cast(indices, 'int32').view([batchSize, count]), offsets], 'int32')
  const table = transpose(x.view([batchSize, outerSize, dimSize, sliceSize]), [0, 2, 1, 3]).view([
    batchSize * dimSize,
    outerSize,
    sliceSize
  ])
  return transpose(gather(table, flat, 0), [0, 2, 1, 3]).view(outputShape)
}

/** What tfjs' shape helpers read of a tensor. */
function tensorLike (x: Value): Tensor {
  return { shape: [...x.shape] } as Tensor
}

/** ONNX counts negative indices from the end, tfjs refuses them; those that only a run knows are not checked. */
function checkRange (indices: Value, extent: number): void {
  const wrong = indices.known()?.find((index) => index < 0 || index >= extent)
  if (wrong !== undefined) throw new Error(`GatherV2: the index value ${wrong} is not in [0, ${extent - 1}]`)
}

function segmentSum (x: Value, segmentIds: Value, segments: number): Value {
  const rest = x.shape.slice(segmentIds.shape.length)
  const rows = segmentIds.size
  const shape = [segments, ...rest]
  const scatter = (ids: Value, extent: number): Value => {
    const indices = cast(ids, 'int64').view([rows, 1])
    const result = { shape: [extent, ...rest], type: x.type }
    return operation('ScatterND', [expand(same(0, x), result.shape), indices, x.view([rows, ...rest])], result, { reduction: { s: 'add' } })
  }
  const inside = segmentIds.known()?.every((id) => id >= 0 && id < segments) ?? false
  if (inside) return scatter(segmentIds, segments)
  // Ids outside go to a row of their own, which is cut off: tfjs leaves them out, ONNX would count them from the end.
  const outside = elementwise('Or', [
    compare('Less', segmentIds, same(0, segmentIds)),
    compare('GreaterOrEqual', segmentIds, same(segments, segmentIds))
  ], 'bool')
  const all = scatter(where(outside, same(segments, segmentIds), segmentIds), segments + 1)
  return slice(all, { begin: shape.map(() => 0), end: shape, strides: shape.map(() => 1) })
}

function oneHot (indices: Value, { depth, onValue, offValue, dtype }: OneHotAttrs): Value {
  const type = elementType(dtype)
  const classes = constant(Int32Array.from({ length: depth }, (_, index) => index), [depth], 'int32')
  const equal = compare('Equal', cast(indices, 'int32').view([...indices.shape, 1]), classes)
  return onValue === 1 && offValue === 0 ? cast(equal, type) : where(equal, scalar(onValue, type), scalar(offValue, type))
}

export const gatherKernels: Kernel[] = [
  kernel<'x' | 'indices', GatherV2Attrs>('GatherV2', ({ x, indices }, attributes) => gatherV2(x, indices, attributes)),
  kernel<'x' | 'segmentIds', UnsortedSegmentSumAttrs>(
    'UnsortedSegmentSum',
    ({ x, segmentIds }, { numSegments }) => segmentSum(x, segmentIds, numSegments)
  ),
  kernel<'indices', OneHotAttrs>('OneHot', ({ indices }, attributes) => oneHot(indices, attributes))
]
