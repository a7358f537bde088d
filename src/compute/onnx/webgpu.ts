/** What ONNX Runtime's kernels for WebGPU cannot do, in operations that they can: without it the graph would leave the device, or fail. */
import { inStandard } from './standard.ts'
import { int64s, operations } from './value.ts'
import type { Operation, Value } from './value.ts'

/** WebGPU promises a shader eight buffers: the input of a split and seven outputs. */
const MOST_PARTS = 7

/** Operations with the outputs of `op`, in their order; their inputs may be new. */
export function forWebGpu (op: Operation): Operation[] {
  return op.type === 'Split' && op.outputs.length > MOST_PARTS ? splitsOfGroups(op) : inStandard(op)
}

/** Into at most seven groups, and each of those likewise. A group of one is a copy. */
function splitsOfGroups ({ inputs, attributes, outputs }: Operation): Operation[] {
  const x = inputs[0] as Value
  const axis = (attributes['axis'] as { i: number }).i
  const most = Math.ceil(outputs.length / MOST_PARTS)
  const groups = Array.from({ length: Math.ceil(outputs.length / most) }, (_, index) => outputs.slice(index * most, (index + 1) * most))
  const along = ({ shape }: Value): number => shape[axis] as number
  const extents = groups.map((group) => group.reduce((sum, part) => sum + along(part), 0))
  const wholes = operations(
    'Split',
    [x, int64s(extents)],
    extents.map((extent) => ({ shape: x.shape.with(axis, extent), type: x.type })),
    attributes
  )
  return groups.flatMap((group, index) =>
    forWebGpu({ type: 'Split', domain: '', inputs: [wholes[index], int64s(group.map(along))], attributes, outputs: group })
  )
}
