import { expect } from 'chai'
import onnxProto from 'onnx-proto'
import { fusedKernels } from '../../../src/compute/onnx/kernels/fused.ts'
import { planModel } from '../../../src/compute/onnx/model.ts'
import { createImmediate } from '../../../src/compute/onnx/session.ts'
import type { Value } from '../../../src/compute/onnx/value.ts'
import { constant } from '../../../src/compute/onnx/value.ts'
import { forWebGpu } from '../../../src/compute/onnx/webgpu.ts'
import { numbers } from './compare.ts'

const { onnx } = onnxProto

function record (name: 'Gelu' | 'GeluGrad', inputs: Record<string, Value>): Value {
  return fusedKernels.find((kernel) => kernel.name === name)?.compute(inputs, {} as never) as Value
}

function input (): Value {
  return constant(numbers([6, 5], -4, 4).data, [6, 5], 'float32').view([2, 3, 5])
}

/** How often the graph has each operation, but for new shapes, and what it computes. */
function run (outputs: readonly Value[], lower?: typeof forWebGpu): { counts: Record<string, number>, numbers: number[] } {
  const plan = planModel(outputs, false, lower)
  const model = plan.encode()
  const session = createImmediate(model, plan.outputs, { threads: 1, memory: 'low' })
  const results = session.run({})
  session.release()
  const counts: Record<string, number> = {}
  for (const { opType } of onnx.ModelProto.decode(model.bytes).graph?.node ?? []) {
    if (opType !== 'Reshape') counts[opType!] = (counts[opType!] ?? 0) + 1
  }
  return { counts, numbers: plan.outputs.flatMap((name) => [...results[name]?.data as Float32Array]) }
}

describe('compute: GELU in a graph', () => {
  it('is one operation without its gradient, and shares Φ(x) with it', () => {
    const x = input()
    const y = record('Gelu', { x })
    const alone = run([y])
    expect(alone.counts).to.deep.equal({ Gelu: 1 })
    const both = run([y, record('GeluGrad', { dy: x, x })])
    expect(both.counts).to.include({ Erf: 1, HardSigmoid: 1 }).and.not.have.property('Gelu')
    both.numbers.slice(0, x.size).forEach((value, index) => { expect(value).to.be.closeTo(alone.numbers[index]!, 1e-6) })
  })

  it('is made of parts for WebGPU, with the same result', () => {
    const y = record('Gelu', { x: input() })
    const parts = run([y], forWebGpu)
    expect(parts.counts).to.deep.equal({ Mul: 2, Erf: 1, HardSigmoid: 1 })
    const whole = run([y])
    parts.numbers.forEach((value, index) => { expect(value).to.be.closeTo(whole.numbers[index]!, 1e-6) })
  })
})
