/** What ONNX Runtime's kernels for WebGPU cannot do, in operations that they can: without it the graph would leave the device, or fail. */
import { normalShare } from './kernels/fused.ts'
import { int64s, isSet, operations } from './value.ts'
import type { Operation, Value } from './value.ts'

/** WebGPU promises a shader eight buffers: the input of a split and seven outputs. */
const MOST_PARTS = 7

/** Operations with the outputs of `op`, in their order; their inputs may be new. */
export function forWebGpu (op: Operation): Operation[] {
  if (op.type === 'FusedMatMul') return [plainProduct(op)]
  if (op.type === 'Gelu') return [composedGelu(op)]
  if (op.type === 'Split' && op.outputs.length > MOST_PARTS) return splitsOfGroups(op)
  return [op]
}

/** It has no batched products of transposed operands: those are transposed first. */
function plainProduct ({ inputs, attributes, outputs }: Operation): Operation {
  const [a, b] = inputs as [Value, Value]
  const operands = [isSet(attributes['transA']) ? transposed(a) : a, isSet(attributes['transB']) ? transposed(b) : b]
  return { type: 'MatMul', domain: '', inputs: operands, attributes: {}, outputs }
}

/** It may have no GELU of its own: the product with Φ(x), whose parts it has. */
function composedGelu ({ inputs, outputs }: Operation): Operation {
  const x = inputs[0] as Value
  return { type: 'Mul', domain: '', inputs: [x, normalShare(x)], attributes: {}, outputs }
}

function transposed (matrices: Value): Value {
  const axes = matrices.shape.map((_, axis) => axis)
  const order = [...axes.slice(0, -2), ...axes.slice(-2).reverse()]
  const shape = order.map((axis) => matrices.shape[axis] as number)
  return operations('Transpose', [matrices], [{ shape, type: matrices.type }], { perm: { ints: order } })[0] as Value
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
