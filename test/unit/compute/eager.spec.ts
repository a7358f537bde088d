import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import '../../../src/compute/index.ts'
import type { OnnxBackend } from '../../../src/compute/onnx/backend.ts'
import { createEngines, disposeEngines } from './compare.ts'
import type { Engines } from './compare.ts'

/** Two dense layers trained by tfjs-core's own Adam, without a compiled step. */
function eagerTraining (): { step: () => tf.Scalar, dispose: () => void } {
  const draw = (...shape: [number, number]): tf.Variable<tf.Rank.R2> =>
    tf.variable(tf.randomNormal<tf.Rank.R2>(shape, 0, 0.5, 'float32', 3))
  const [w1, w2, x, y] = [draw(6, 16), draw(16, 2), draw(32, 6), draw(32, 2)]
  const optimiser = tf.train.adam(0.01)
  return {
    step: () =>
      optimiser.minimize(() => tf.mean(tf.squaredDifference(tf.matMul(tf.tanh(tf.matMul(x, w1)), w2), y)), true, [w1, w2]) as tf.Scalar,
    dispose: () => {
      tf.dispose([w1, w2, x, y])
      optimiser.dispose()
    }
  }
}

describe('compute: eager steps on the onnx backend', () => {
  let engines: Engines
  let backend: OnnxBackend
  before(async () => {
    engines = await createEngines()
    backend = tf.findBackend('onnx') as OnnxBackend
  })
  after(async () => { await disposeEngines(engines) })
  beforeEach(async () => { await tf.setBackend('onnx') })

  async function sessionsOf (run: () => Promise<unknown>): Promise<number> {
    const before = backend.sessionsMade
    await run()
    return backend.sessionsMade - before
  }

  it('trains with one run per step: one session once the counters of Adam have become inputs', async () => {
    const { step, dispose } = eagerTraining()
    const losses: number[] = []
    const train = async (steps: number): Promise<void> => {
      for (let index = 0; index < steps; index++) {
        const loss = step()
        losses.push((await loss.data())[0] as number)
        loss.dispose()
      }
    }
    expect(await sessionsOf(async () => { await train(4) })).to.be.within(1, 3)
    expect(await sessionsOf(async () => { await train(60) })).to.equal(0)
    expect(losses.at(-1)).to.be.below(losses[0] as number / 2)
    dispose()
  })

  it('computes all that is alive in one run, and nothing that was disposed', async () => {
    const x = tf.tensor1d([1, 2, 3])
    const made = await sessionsOf(async () => {
      const [double, dead] = [tf.mul(x, 2), tf.log(x)]
      const square = tf.square(double)
      dead.dispose()
      await backend.flush()
      expect([...double.dataSync()]).to.deep.equal([2, 4, 6])
      expect([...await square.data()]).to.deep.equal([4, 16, 36])
      tf.dispose([double, square])
    })
    expect(made).to.equal(1)
    x.dispose()
  })

  it('uses a session again for the same operations on other numbers of the same shape', async () => {
    const sum = async (numbers: number[], factor: number): Promise<number> => {
      const result = tf.tidy(() => tf.sum(tf.mul(tf.tensor1d(numbers), tf.scalar(factor))))
      const [value] = await result.data()
      result.dispose()
      return value as number
    }
    const made = await sessionsOf(async () => {
      expect(await sum([1, 2, 3, 4, 5], 2)).to.equal(30)
      expect(await sum([1, 2, 3, 4, 6], 2)).to.equal(32)
      expect(await sum([1, 2, 3, 4, 5], 3)).to.equal(45)
      expect(await sum([1, 2, 3, 4, 6], 4)).to.equal(64)
    })
    // One with the factor baked, one with it as an input.
    expect(made).to.equal(2)
  })

  it('reads what can be computed although something else that is alive cannot', async () => {
    const table = tf.tensor1d([1, 2, 3, 4, 5])
    const beyond = tf.add(tf.tensor1d([3, 4, 5, 6, 7], 'int32'), tf.scalar(1, 'int32'))
    const broken = tf.gather(table, beyond)
    const fine = tf.add(table, 1)
    expect([...await fine.data()]).to.deep.equal([2, 3, 4, 5, 6])
    tf.dispose([table, beyond, broken, fine])
  })

  it('refuses to flush while a step is traced', async () => {
    let refused: Promise<unknown> = Promise.resolve()
    const compiled = engines.onnx.compile(({ x }) => {
      refused = backend.flush().then(() => undefined, (error: unknown) => error)
      return { y: tf.square(x as tf.Tensor) }
    })
    await compiled.run({ x: { shape: [1], data: Float32Array.of(3) } })
    expect(await refused).to.be.an('error').with.property('message').that.matches(/flush was called while a step is traced/)
    await compiled.dispose()
  })
})
