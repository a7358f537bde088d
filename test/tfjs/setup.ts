/** What tfjs-core's tests need before they are loaded: jasmine's globals, the backend, and the environment they run in. */
import jasmine from 'jasmine-core'
import '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js'
import '@tensorflow/tfjs-backend-cpu'
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js'
import '../../src/compute/gradients.ts'
import { registerOnnx } from '../../src/compute/onnx/register.ts'

export const jasmineEnv = jasmine.boot(jasmine).getEnv()

registerOnnx({ threads: 1, memory: 'fast' })
setTestEnvs([{ name: 'onnx', backendName: 'onnx', isDataSync: true }])
