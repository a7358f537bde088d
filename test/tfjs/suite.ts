/** tfjs-core's own backend tests; bundled by index.ts so that they and the backend share one instance of tfjs-core. */
import * as tf from '@tensorflow/tfjs-core'
import { jasmineEnv } from './setup.ts'
import '@tensorflow/tfjs-core/dist/tests.js'
import { graphKernels } from '../../src/compute/onnx/register.ts'
import type { Kernels, TestResult } from './report.ts'

/** Runs the tests whose name contains `filter`, in any case. */
export async function runSuite (filter: string): Promise<TestResult[]> {
  const results: TestResult[] = []
  await new Promise<void>((resolve) => {
    jasmineEnv.configure({ random: false, specFilter: (spec) => spec.getFullName().toLowerCase().includes(filter.toLowerCase()) })
    jasmineEnv.addReporter({
      specDone ({ fullName, status, failedExpectations }) {
        if (status === 'excluded' || status === 'pending') return
        results.push({
          name: fullName.replace(' onnx {}', ''),
          passed: status === 'passed',
          message: failedExpectations.map(({ message }) => message).join('\n')
        })
      },
      jasmineDone: resolve
    })
    jasmineEnv.execute()
  })
  return results
}

/** The kernels of tfjs-backend-cpu, by where they run on the onnx backend. */
export function kernelsByPlace (): Kernels {
  const names = tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName).sort()
  return { graph: names.filter((name) => graphKernels.has(name)), fallback: names.filter((name) => !graphKernels.has(name)) }
}
