/** Loads the TensorFlow that argv names (package folder, native part), computes something, and says over IPC what it is. */
import * as tf from '@tensorflow/tfjs-core'
import { messageOf } from '../common/message-of.ts'
import { loadTensorflow } from './tensorflow-engine.ts'

try {
  const [root, binding] = process.argv.slice(2) as [string, string]
  const { version, isUsingGpuDevice } = loadTensorflow({ root, binding }, 1)
  await tf.setBackend('tensorflow')
  const [sum] = await tf.sum(tf.matMul(tf.ones([8, 8]), tf.ones([8, 8]))).data()
  process.send?.(sum === 512 ? { version, gpu: isUsingGpuDevice } : `it computes wrong numbers (${sum} instead of 512)`)
} catch (error) {
  process.send?.(messageOf(error).replace('the engine tensorflow is ', ''))
}
