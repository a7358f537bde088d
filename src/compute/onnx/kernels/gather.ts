import { util } from '@tensorflow/tfjs-core'
import type { GatherV2Attrs, OneHotAttrs, UnsortedSegmentSumAttrs } from '@tensorflow/tfjs-core'
import { elementType } from '../types.ts'
import { constant, expand, operation, scalar, sizeOf } from '../value.ts'
import type { Value } from '../value.ts'
import { cast, compare, same, where } from './ops.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'

function gather (x: Value, indices: Value, axis: number): Value {
  const [position = 0] = util.parseAxisParam(axis, [...x.shape])
  const shape = [...x.shape.slice(0, position), ...indices.shape, ...x.shape.slice(position + 1)]
  return operation('Gather', [x, cast(indices, 'int32')], { shape, type: x.type }, { axis: { i: position } })
}

/** Batched gather as a plain one: the leading axes become one table with offsets added to the indices. */
function gatherV2 (x: Value, indices: Value, { axis, batchDims }: GatherV2Attrs): Value {
  if (batchDims === 0) return gather(x, indices, axis)
  const [position = 0] = util.parseAxisParam(axis, [...x.shape])
  const batches = sizeOf(x.shape.slice(0, batchDims))
  const between = x.shape.slice(batchDims, position)
  if (sizeOf(between) !== 1) throw new Error('the onnx backend gathers with batch dimensions only along the first axis after them: transpose first')
  const extent = x.shape[position] as number
  const rest = x.shape.slice(position + 1)
  const offsets = constant(Int32Array.from({ length: batches }, (_, batch) => batch * extent), [batches, 1], 'int32')
  const flat = operation('Add', [cast(indices, 'int32').view([batches, indices.size / batches]), offsets], { shape: [batches, indices.size / batches], type: 'int32' })
  return gather(x.view([batches * extent, ...rest]), flat, 0).view([...x.shape.slice(0, position), ...indices.shape.slice(batchDims), ...rest])
}

function segmentSum (x: Value, segmentIds: Value, segments: number): Value {
  const rest = x.shape.slice(segmentIds.shape.length)
  const rows = segmentIds.size
  const shape = [segments, ...rest]
  const zeros = expand(same(0, x), shape)
  const indices = cast(segmentIds, 'int64').view([rows, 1])
  return operation('ScatterND', [zeros, indices, x.view([rows, ...rest])], { shape, type: x.type }, { reduction: { s: 'add' } })
}

function oneHot (indices: Value, { depth, onValue, offValue, dtype }: OneHotAttrs): Value {
  const type = elementType(dtype)
  const classes = constant(Int32Array.from({ length: depth }, (_, index) => index), [depth], 'int32')
  const equal = compare('Equal', cast(indices, 'int32').view([...indices.shape, 1]), classes)
  return onValue === 1 && offValue === 0 ? cast(equal, type) : where(equal, scalar(onValue, type), scalar(offValue, type))
}

export const gatherKernels: Kernel[] = [
  kernel<'x' | 'indices', GatherV2Attrs>('GatherV2', ({ x, indices }, attributes) => gatherV2(x, indices, attributes)),
  kernel<'x' | 'segmentIds', UnsortedSegmentSumAttrs>('UnsortedSegmentSum', ({ x, segmentIds }, { numSegments }) => segmentSum(x, segmentIds, numSegments)),
  kernel<'indices', OneHotAttrs>('OneHot', ({ indices }, attributes) => oneHot(indices, attributes))
]
