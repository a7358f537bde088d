import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { createEngine, gelu, layerNorm } from '../../../src/compute/index.ts'
import type { HostTensor, Step } from '../../../src/compute/index.ts'
import { expectClose, createEngines, disposeEngines, expectSame, numbers, runOnce, withGradients } from './compare.ts'
import type { Engines } from './compare.ts'

const attention: Step = withGradients(({ q, k, v }) =>
  tf.matMul(tf.softmax(tf.matMul(q as tf.Tensor, k as tf.Tensor, false, true)), v as tf.Tensor))
const heads = { q: numbers([2, 3, 6, 4]), k: numbers([2, 3, 6, 4], -2, 2, 3), v: numbers([2, 3, 6, 4], -2, 2, 5) }

describe('compute: engines', () => {
  let engines: Engines
  before(async () => { engines = await createEngines() })
  after(async () => { await disposeEngines(engines) })

  it('auto is onnx', async () => {
    const engine = await createEngine()
    expect(engine.name).to.equal('onnx')
    await engine.dispose()
  })

  it('runs the same step on wasm, which leaves no listeners on the process', async () => {
    const listeners = process.listenerCount('uncaughtException')
    const wasm = await createEngine({ name: 'wasm', threads: 1 })
    const [actual, expected] = [await runOnce(wasm, attention, heads), await runOnce(engines.cpu, attention, heads)]
    for (const [name, tensor] of Object.entries(expected)) expectClose(actual[name] as HostTensor, tensor, 1e-5, name)
    expect(process.listenerCount('uncaughtException')).to.equal(listeners)
    await wasm.dispose()
  })

  it('eager engines leave no tensors behind and refuse work after dispose', async () => {
    const engine = await createEngine({ name: 'cpu' })
    const compiled = engine.compile(attention)
    const before = tf.memory().numTensors
    await compiled.run(heads)
    expect(tf.memory().numTensors).to.equal(before)
    await compiled.dispose()
    const refused = await compiled.run(heads).then(() => undefined, (error: unknown) => error)
    expect(refused).to.be.an('error').with.property('message').that.matches(/is disposed/)
    await engine.dispose()
    expect(() => engine.compile(attention)).to.throw(/is disposed/)
  })

  it('refuses a senseless number of threads', async () => {
    for (const threads of [0, 1.5, -1]) {
      const refused = await createEngine({ threads }).then(() => undefined, (error: unknown) => error)
      expect(refused, String(threads)).to.be.an('error').with.property('message').that.matches(/threads must be/)
    }
  })

  it('attention and its cheaper softmax gradient', async () => {
    await expectSame(engines, attention, heads)
  })

  it('softmax gradients where the product is used twice, transposed, or not at all', async () => {
    await expectSame(engines, withGradients(({ q, k, v }) => {
      const shares = tf.softmax(tf.matMul(q as tf.Tensor, k as tf.Tensor, false, true))
      return tf.add(tf.add(tf.matMul(shares, v as tf.Tensor), tf.matMul(shares, q as tf.Tensor)), tf.matMul(shares, k as tf.Tensor, true))
    }), heads)
    await expectSame(engines, withGradients(({ q }) => tf.softmax(q as tf.Tensor)), { q: heads.q })
  })

  it('softmax along another axis', async () => {
    await expectSame(
      engines,
      withGradients(({ q }) => tf.transpose(tf.softmax(tf.transpose(q as tf.Tensor, [0, 1, 3, 2])), [0, 1, 3, 2])),
      { q: heads.q }
    )
  })

  it('layer norm, values and gradients for input, scale and shift', async () => {
    const inputs = { x: numbers([2, 5, 12], 1, 3), scale: numbers([12], 0.5, 1.5), shift: numbers([12]) }
    const step = withGradients(({ x, scale, shift }) => layerNorm(x as tf.Tensor, scale as tf.Tensor, shift as tf.Tensor, 1e-6))
    await expectSame(engines, step, inputs)
  })

  it('layer norm under a frozen scale', async () => {
    const inputs = { x: numbers([3, 7]), scale: numbers([7], 0.5, 1.5), shift: numbers([7]) }
    const step: Step = ({ x, scale, shift }) => ({
      dx: tf.grad((t) => tf.square(layerNorm(t, scale as tf.Tensor, shift as tf.Tensor, 1e-5)))(x as tf.Tensor)
    })
    await expectSame(engines, step, inputs)
  })

  it('gelu, values and gradients, from the far left to the far right', async () => {
    await expectSame(engines, withGradients(({ x }) => gelu(x as tf.Tensor)), { x: numbers([4, 50], -9, 9) })
  })

  it('gradient of a bilinear resize with half pixels, which tfjs-cpu has wrong: the sum over outputs of their weights', async () => {
    const weights = numbers([1, 5, 7, 1])
    const value: Step = ({ x }) => ({
      y: tf.sum(tf.mul(tf.image.resizeBilinear(x as tf.Tensor4D, [5, 7], false, true), tf.tensor(weights.data, [1, 5, 7, 1])))
    })
    const slope: Step = ({ x }) => ({ dx: tf.grad((t) => value({ x: t })['y'] as tf.Tensor)(x as tf.Tensor) })
    const { dx } = await runOnce(engines.onnx, slope, { x: numbers([1, 3, 4, 1]) })
    // The resize is linear: its gradient is what each single pixel contributes.
    const single = engines.onnx.compile(value)
    for (let pixel = 0; pixel < 12; pixel++) {
      const data = Float32Array.from({ length: 12 }, (_, index) => Number(index === pixel))
      const { y } = await single.run({ x: { shape: [1, 3, 4, 1], data } })
      expect(dx?.data[pixel]).to.be.closeTo(y?.data[0] as number, 1e-5)
    }
    await single.dispose()
  })

  it('a mean over a million numbers keeps its digits', async () => {
    const x = { shape: [1024, 1024], data: Float32Array.from({ length: 2 ** 20 }, (_, index) => 1 + (index % 7) / 10) }
    const exact = x.data.reduce((total, number) => total + number, 0) / x.data.length
    const { mean, flat } = await runOnce(
      engines.onnx,
      (t) => ({ mean: tf.mean(t['x'] as tf.Tensor), flat: tf.mean(tf.reshape(t['x'] as tf.Tensor, [-1])) }),
      { x }
    )
    for (const result of [mean, flat]) expect(Math.abs((result?.data[0] as number) - exact) / exact).to.be.below(5e-7)
  })
})
