/** Blocks of space moved into the batch and back, mirrored borders, diagonals. */
import { backend_util as backendUtil } from '@tensorflow/tfjs-core'
import type { BatchToSpaceNDAttrs, MirrorPadAttrs, SpaceToBatchNDAttrs } from '@tensorflow/tfjs-core'
import { constant, elementwise, operation, sizeOf } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { cast, same, slice, transpose, where } from './ops.ts'
import { pad } from './shape.ts'

function batchToSpace (x: Value, { blockShape, crops }: BatchToSpaceNDAttrs): Value {
  const count = sizeOf(blockShape)
  const split = backendUtil.getReshaped([...x.shape], blockShape, count)
  const joined = backendUtil.getReshapedPermuted([...x.shape], blockShape, count)
  const whole = transpose(x.view(split), backendUtil.getPermuted(split.length, blockShape.length)).view(joined)
  const begin = backendUtil.getSliceBeginCoords(crops, blockShape.length)
  const size = backendUtil.getSliceSize(joined, crops, blockShape.length)
  const starts = joined.map((_, axis) => begin[axis] ?? 0)
  return slice(whole, {
    begin: starts,
    end: joined.map((extent, axis) => size[axis] === undefined ? extent : (starts[axis] as number) + size[axis]),
    strides: joined.map(() => 1)
  })
}

function spaceToBatch (x: Value, { blockShape, paddings }: SpaceToBatchNDAttrs): Value {
  const complete = x.shape.map((_, axis): [number, number] => paddings[axis - 1] as [number, number] | undefined ?? [0, 0])
  const padded = pad(x, { paddings: complete, constantValue: 0 })
  const count = sizeOf(blockShape)
  const split = backendUtil.getReshaped([...padded.shape], blockShape, count, false)
  const joined = backendUtil.getReshapedPermuted([...padded.shape], blockShape, count, false)
  return transpose(padded.view(split), backendUtil.getPermuted(split.length, blockShape.length, false)).view(joined)
}

/** One constant gather for each padded axis. */
function mirrorPad (x: Value, { paddings, mode }: MirrorPadAttrs): Value {
  const offset = mode === 'reflect' ? 0 : 1
  return paddings.reduce((padded, [before, behind], axis) => {
    if (before === 0 && behind === 0) return padded
    const size = padded.shape[axis] as number
    const places = Int32Array.from({ length: before + size + behind }, (_, index) => {
      const place = index - before
      return place < 0 ? -place - offset : place >= size ? 2 * (size - 1) - place + offset : place
    })
    const shape = padded.shape.map((extent, index) => index === axis ? places.length : extent)
    return operation('Gather', [padded, constant(places, [places.length], 'int32')], { shape, type: padded.type }, { axis: { i: axis } })
  }, x)
}

function diagonal (x: Value): Value {
  const numbers = cast(x, x.type === 'bool' ? 'int32' : x.type)
  const counter = Int32Array.from({ length: x.size }, (_, index) => index)
  const isDiagonal = elementwise('Equal', [constant(counter, [x.size, 1], 'int32'), constant(counter, [x.size], 'int32')], 'bool')
  return cast(where(isDiagonal, numbers.view([x.size]), same(0, numbers)).view([...x.shape, ...x.shape]), x.type)
}

export const blockKernels: Kernel[] = [
  kernel<'x', BatchToSpaceNDAttrs>('BatchToSpaceND', ({ x }, attributes) => batchToSpace(x, attributes)),
  kernel<'x', SpaceToBatchNDAttrs>('SpaceToBatchND', ({ x }, attributes) => spaceToBatch(x, attributes)),
  kernel<'x', MirrorPadAttrs>('MirrorPad', ({ x }, attributes) => mirrorPad(x, attributes)),
  kernel<'x'>('Diag', ({ x }) => diagonal(x))
]
