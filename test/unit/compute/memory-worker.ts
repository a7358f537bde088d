/** Trains 1,000 steps, compiled or eager, and prints by how many megabytes resident memory grew after the first 50. */
import * as tf from '@tensorflow/tfjs-core'
import { createEngine } from '../../../src/compute/index.ts'
import type { HostRecord } from '../../../src/compute/index.ts'
import type { OnnxBackend } from '../../../src/compute/onnx/backend.ts'
import { numbers } from './compare.ts'

const STEPS = 1000
const WARM = 50
const isEager = process.argv[2] === 'eager'
/**
 * Compiled: a megabyte of results per step, so that the garbage of 50 steps is as much as V8 ever lets lie. Eager steps leave more garbage
 * (up to 60 MB before V8 collects it, then no more), which would hide a leak: small results there.
 */
const HIDDEN = isEager ? 128 : 2048

async function growth (step: () => Promise<void>): Promise<number> {
  let before = 0
  for (let index = 0; index < STEPS; index++) {
    if (index === WARM) before = process.memoryUsage.rss()
    await step()
  }
  return (process.memoryUsage.rss() - before) / 2 ** 20
}

function forward (x: tf.Tensor, w1: tf.Tensor, w2: tf.Tensor): tf.Tensor {
  const attended = tf.matMul(tf.softmax(tf.matMul(x, x, false, true)), tf.matMul(x, w1))
  return tf.mean(tf.square(tf.matMul(tf.tanh(attended), w2)))
}

async function compiled (): Promise<number> {
  const engine = await createEngine({ name: 'onnx', threads: 1, memory: 'fast' })
  const step = engine.compile(({ x, w1, w2 }) => {
    const { value, grads: [d1, d2] } = tf.valueAndGrads((a, b) => forward(x as tf.Tensor, a, b))([w1 as tf.Tensor, w2 as tf.Tensor])
    return {
      loss: value,
      w1: tf.sub(w1 as tf.Tensor, tf.mul(d1 as tf.Tensor, 0.01)),
      w2: tf.sub(w2 as tf.Tensor, tf.mul(d2 as tf.Tensor, 0.01))
    }
  })
  let state: HostRecord = { w1: numbers([64, HIDDEN], -0.1, 0.1), w2: numbers([HIDDEN, 64], -0.1, 0.1, 2) }
  return await growth(async () => {
    const { loss, ...next } = await step.run({ ...state, x: numbers([64, 64], -1, 1) })
    if (!Number.isFinite(loss?.data[0])) throw new Error('the loss is no number')
    state = next
  })
}

async function eager (): Promise<number> {
  await createEngine({ name: 'onnx', threads: 1 })
  await tf.setBackend('onnx')
  const [w1, w2] = [tf.variable(tf.randomNormal([64, HIDDEN], 0, 0.1)), tf.variable(tf.randomNormal([HIDDEN, 64], 0, 0.1))]
  const optimiser = tf.train.adam(0.001)
  const { data } = numbers([64, 64], -1, 1)
  let tensors = 0
  const grown = await growth(async () => {
    const x = tf.tensor2d(data, [64, 64])
    const loss = optimiser.minimize(() => forward(x, w1, w2) as tf.Scalar, true, [w1, w2]) as tf.Scalar
    await (tf.engine().backend as OnnxBackend).flush()
    tf.dispose([x, loss])
    if (tensors !== 0 && tf.memory().numTensors > tensors + 10) throw new Error('tensors pile up')
    tensors ||= tf.memory().numTensors
  })
  return grown
}

console.log(JSON.stringify({ grownMb: await (isEager ? eager() : compiled()) }))
process.exit(0)
