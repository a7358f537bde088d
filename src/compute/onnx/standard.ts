/** What only ONNX Runtime has, and not all of its providers, in operations of the ONNX standard. */
import { normalShare } from './kernels/fused.ts'
import { isSet, operations } from './value.ts'
import type { Operation, Value } from './value.ts'

/** Operations with the outputs of `op`; their inputs may be new. */
export function inStandard (op: Operation): Operation[] {
  if (op.type === 'FusedMatMul') return [plainProduct(op)]
  if (op.type === 'Gelu') return [composedGelu(op)]
  return [op]
}

/** The standard has no products of transposed operands: those are transposed first. */
function plainProduct ({ inputs, attributes, outputs }: Operation): Operation {
  const [a, b] = inputs as [Value, Value]
  const operands = [isSet(attributes['transA']) ? transposed(a) : a, isSet(attributes['transB']) ? transposed(b) : b]
  return { type: 'MatMul', domain: '', inputs: operands, attributes: {}, outputs }
}

/** Opset 18 has no GELU: the product with Φ(x), whose parts it has. */
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
