import { expect } from 'chai'
import { divide, multiply, same } from '../../../src/compute/onnx/kernels/ops.ts'
import { planModel } from '../../../src/compute/onnx/model.ts'
import { exactSession, roundingError } from '../../../src/compute/onnx/rounding.ts'
import { createImmediate } from '../../../src/compute/onnx/session.ts'
import { elementwise } from '../../../src/compute/onnx/value.ts'
import type { Operation, Value } from '../../../src/compute/onnx/value.ts'

/** A product whose first factor, from 1 to 2, loses all but ten bits of its mantissa, as on a card that rounds to TF32. */
function inTf32 (op: Operation): Operation[] {
  if (op.type !== 'MatMul') return [op]
  const [x, identity] = op.inputs as [Value, Value]
  const scale = same(1024, x)
  return [{ ...op, inputs: [divide(elementwise('Round', [multiply(x, scale)], 'float32'), scale), identity] }]
}

function errorOf (lower?: typeof inTf32): number {
  const plan = planModel([roundingError()], false, lower)
  const session = createImmediate(plan.encode(), plan.outputs, { threads: 1, memory: 'low' })
  const results = session.run({})
  session.release()
  return (results[plan.outputs[0] as string]?.data as Float32Array)[0] as number
}

/** Makes sessions that are off by the given errors, in turn. */
function sessions (...errors: number[]): { make: () => Promise<{ error: number, release: () => Promise<void> }>, released: number[] } {
  const released: number[] = []
  let made = 0
  return {
    released,
    make: async () => {
      const session = made++
      return await Promise.resolve({
        error: errors[session] ?? NaN,
        release: async () => {
          released.push(session)
          await Promise.resolve()
        }
      })
    }
  }
}

const ask = async ({ error }: { error: number }): Promise<number> => await Promise.resolve(error)

describe('compute: sessions that round to TF32', () => {
  it('are told from those that keep float32', () => {
    expect(errorOf()).to.equal(0)
    expect(errorOf(inTf32)).to.be.within(0.0004, 0.0005)
  })

  it('are let go for the first that keeps it', async () => {
    const { make, released } = sessions(0.0005, NaN, 0)
    expect(await exactSession(make, ask)).to.include({ error: 0 })
    expect(released).to.deep.equal([0, 1])
  })

  it('are an error where all do it', async () => {
    const { make, released } = sessions(...Array<number>(9).fill(0.0005))
    const failure = await exactSession(make, ask).catch((error: unknown) => error)
    expect((failure as Error).message).to.match(/^CUDA rounded float32 to TF32 in 5 sessions in a row: unset NVIDIA_TF32_OVERRIDE, or /)
    expect(released).to.have.length(5)
  })

  it('and those that do not run leave nothing behind', async () => {
    const { make, released } = sessions(0)
    const failure = await exactSession(make, async () => await Promise.reject(new Error('out of memory'))).catch((error: unknown) => error)
    expect((failure as Error).message).to.equal('out of memory')
    expect(released).to.deep.equal([0])
  })
})
