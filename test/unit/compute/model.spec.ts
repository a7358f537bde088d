import { expect } from 'chai'
import onnxProto from 'onnx-proto'
import { planModel } from '../../../src/compute/onnx/model.ts'
import { createImmediate } from '../../../src/compute/onnx/session.ts'
import { constant, operation } from '../../../src/compute/onnx/value.ts'
import type { Value } from '../../../src/compute/onnx/value.ts'
import { numbers } from './compare.ts'

const { onnx } = onnxProto

/** aᵀ · bᵀ and a · cᵀ, batched. */
function products (): Value[] {
  const [a, b, c] = [[2, 3, 5], [2, 4, 3], [2, 4, 5]].map((shape, index) => constant(numbers(shape, -2, 2, index + 1).data as Float32Array, shape, 'float32')) as [Value, Value, Value]
  const fused = (left: Value, right: Value, shape: number[], transA: number): Value =>
    operation('FusedMatMul', [left, right], { shape, type: 'float32' }, { transA: { i: transA }, transB: { i: 1 } }, 'com.microsoft')
  return [fused(a, b, [2, 5, 4], 1), fused(a, c, [2, 3, 4], 0)]
}

describe('compute: the encoded model', () => {
  it('transposes first where a provider has no products of transposed operands, with the same result', () => {
    const [fused, plain] = [true, false].map((fuses) => {
      const plan = planModel(products(), false, fuses)
      const model = plan.encode()
      const types = onnx.ModelProto.decode(model.bytes).graph?.node?.map(({ opType }) => opType)
      const session = createImmediate(model, plan.outputs, { threads: 1, memory: 'low' })
      const outputs = session.run({})
      session.release()
      return { types, data: plan.outputs.map((name) => [...outputs[name]?.data as Float32Array]) }
    })
    expect(fused?.types).to.deep.equal(['FusedMatMul', 'FusedMatMul'])
    expect(plain?.types).to.deep.equal(['Transpose', 'Transpose', 'MatMul', 'Transpose', 'MatMul'])
    plain?.data.flat().forEach((value, index) => { expect(value).to.be.closeTo(fused?.data.flat()[index] as number, 1e-5) })
  })
})
