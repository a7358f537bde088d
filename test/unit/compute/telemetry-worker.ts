/** Trains a step, and tests a provider as `doctor` does. */
import * as tf from '@tensorflow/tfjs-core'
import { createEngine } from '../../../src/compute/index.ts'
import { selfTest } from '../../../src/compute/onnx/providers.ts'

const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1 })
const step = engine.compile(({ x }) => ({ y: tf.square(x!) }))
const { y } = await step.run({ x: { shape: [1], data: Float32Array.of(3) } })
await engine.dispose()
console.log(JSON.stringify({ y: y!.data[0], test: await selfTest('cpu', { threads: 1 }) }))
