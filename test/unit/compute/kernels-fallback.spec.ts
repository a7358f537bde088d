/** What ONNX Runtime does not compute with goes to tfjs-cpu: counted, with one warning for each kernel name. */
import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { createEngine } from '../../../src/compute/index.ts'
import type { Engine } from '../../../src/compute/index.ts'

describe('compute: kernels that fall back to tfjs-cpu', () => {
  let engine: Engine
  let before: string | undefined
  const warnings: string[] = []
  const listen = ({ message }: Error): void => { warnings.push(message) }

  beforeEach(async () => {
    before = tf.engine().backendName
    engine = await createEngine({ name: 'onnx', threads: 1 })
    await tf.setBackend('onnx')
    warnings.length = 0
    process.on('warning', listen)
  })

  afterEach(async () => {
    process.off('warning', listen)
    await engine.dispose()
    if (before !== undefined) await tf.setBackend(before)
  })

  /** Warnings come with the next tick. */
  async function warned (kernel: string): Promise<number> {
    await new Promise((resolve) => { setImmediate(resolve) })
    return warnings.filter((message) => message.includes(`kernel ${kernel} `)).length
  }

  it('computes with complex numbers, mixed with kernels of the graph, and frees them', async () => {
    const tensors = tf.memory().numTensors
    const x = tf.tensor1d([1, 2, 3, 4])
    const magnitude = tf.tidy(() => tf.mul(tf.abs(tf.add(tf.complex(x, tf.neg(x)), tf.complex(x, x))), 0.5))
    const back = tf.tidy(() => tf.real(tf.ifft(tf.fft(tf.complex(x, tf.zerosLike(x))))))
    expect(Array.from(await magnitude.data())).to.deep.equal([1, 2, 3, 4])
    expect(Array.from(await back.data(), (number) => Math.round(number * 1e5) / 1e5)).to.deep.equal([1, 2, 3, 4])
    expect(engine.fallbacks().get('Complex')).to.equal(3)
    expect(engine.fallbacks().get('FFT')).to.equal(1)
    expect(engine.fallbacks().get('Add')).to.equal(1)
    expect(engine.fallbacks().has('Mul')).to.equal(false)
    tf.dispose([x, magnitude, back])
    expect(tf.memory().numTensors).to.equal(tensors)
  })

  it('keeps strings through reshapes and slices', async () => {
    const tensors = tf.memory().numDataBuffers
    const words = tf.tensor2d(['a', 'bc', 'd', 'é'], [2, 2])
    const last = tf.tidy(() => tf.slice(tf.reshape(words, [4]), [2], [2]))
    expect(await last.array()).to.deep.equal(['d', 'é'])
    tf.dispose([words, last])
    expect(tf.memory().numDataBuffers).to.equal(tensors)
  })

  it('warns once for each kernel name and counts every call', async () => {
    const values = tf.tensor1d([3, 1, 3, 2, 1])
    for (let call = 0; call < 3; call++) tf.dispose(Object.values(tf.unique(values)))
    values.dispose()
    expect(engine.fallbacks().get('Unique')).to.equal(3)
    expect(await warned('Unique')).to.equal(1)
  })
})
