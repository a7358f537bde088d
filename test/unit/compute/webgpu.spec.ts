import { expect } from 'chai'
import onnxProto from 'onnx-proto'
import { planModel } from '../../../src/compute/onnx/model.ts'
import { createImmediate } from '../../../src/compute/onnx/session.ts'
import { constant, int64s, operation, operations } from '../../../src/compute/onnx/value.ts'
import type { Value } from '../../../src/compute/onnx/value.ts'
import { forWebGpu } from '../../../src/compute/onnx/webgpu.ts'
import { numbers } from './compare.ts'

const { onnx } = onnxProto

function tensor (shape: number[], seed = 1): Value {
  return constant(numbers(shape, -2, 2, seed).data, shape, 'float32')
}

/** The operations of the encoded graph, and what it computes on the CPU. */
function run (outputs: readonly Value[], lower?: typeof forWebGpu): { types: Array<string | null | undefined>, numbers: number[] } {
  const plan = planModel(outputs, false, lower)
  const model = plan.encode()
  const session = createImmediate(model, plan.outputs, { threads: 1, memory: 'low' })
  const results = session.run({})
  session.release()
  const types = onnx.ModelProto.decode(model.bytes).graph?.node?.map(({ opType }) => opType) ?? []
  return { types, numbers: plan.outputs.flatMap((name) => [...results[name]?.data as Float32Array]) }
}

describe('compute: graphs for WebGPU', () => {
  it('transpose first and then multiply, with the same result', () => {
    const [a, b, c] = [tensor([2, 3, 5]), tensor([2, 4, 3], 2), tensor([2, 4, 5], 3)]
    const fused = (left: Value, right: Value, shape: number[], transA: number): Value =>
      operation('FusedMatMul', [left, right], { shape, type: 'float32' }, { transA: { i: transA }, transB: { i: 1 } }, 'com.microsoft')
    const products = [fused(a, b, [2, 5, 4], 1), fused(a, c, [2, 3, 4], 0)]
    const [expected, lowered] = [run(products), run(products, forWebGpu)]
    expect(expected.types).to.deep.equal(['FusedMatMul', 'FusedMatMul'])
    expect(lowered.types).to.deep.equal(['Transpose', 'Transpose', 'MatMul', 'Transpose', 'MatMul'])
    lowered.numbers.forEach((value, index) => { expect(value).to.be.closeTo(expected.numbers[index] as number, 1e-5) })
  })

  for (const parts of [7, 8, 50, 400]) {
    it(`split into ${parts} parts with at most seven outputs each, with the same result`, () => {
      const sizes = Array.from({ length: parts }, (_, index) => 1 + index % 3)
      const x = tensor([2, sizes.reduce((sum, size) => sum + size, 0)])
      const pieces = operations('Split', [x, int64s(sizes)], sizes.map((size) => ({ shape: [2, size], type: 'float32' as const })), { axis: { i: 1 } })
      const plan = planModel(pieces, false, forWebGpu)
      const nodes = onnx.ModelProto.decode(plan.encode().bytes).graph?.node ?? []
      expect(Math.max(...nodes.map(({ output }) => output?.length ?? 0))).to.be.at.most(7)
      expect(run(pieces, forWebGpu).numbers).to.deep.equal(run(pieces).numbers)
    })
  }
})
