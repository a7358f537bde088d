import { expect } from 'chai'
import onnxProto from 'onnx-proto'
import { shapeKernels } from '../../../src/compute/onnx/kernels/shape.ts'
import { planModel } from '../../../src/compute/onnx/model.ts'
import { createImmediate } from '../../../src/compute/onnx/session.ts'
import { constant, operation } from '../../../src/compute/onnx/value.ts'
import type { Value } from '../../../src/compute/onnx/value.ts'
import { forWebGpu } from '../../../src/compute/onnx/webgpu.ts'
import { numbers } from './compare.ts'

const { onnx } = onnxProto
const split = shapeKernels.find(({ name }) => name === 'SplitV')

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
      const pieces = split?.compute({ x }, { numOrSizeSplits: sizes, axis: 1 } as never) as Value[]
      const nodes = onnx.ModelProto.decode(planModel(pieces, false, forWebGpu).encode().bytes).graph?.node ?? []
      expect(Math.max(...nodes.map(({ output }) => output?.length ?? 0))).to.be.at.most(7)
      const onCpu = run(pieces)
      expect(onCpu.types).to.deep.equal(['Split'])
      expect(run(pieces, forWebGpu).numbers).to.deep.equal(onCpu.numbers)
    })
  }
})
