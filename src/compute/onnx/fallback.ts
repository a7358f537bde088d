import * as tf from '@tensorflow/tfjs-core'
import type { OnnxBackend } from './backend.ts'

/** Registers a kernel that reads its inputs and runs on tfjs-backend-cpu. */
export function fallBack (kernelName: string): void {
  tf.registerKernel({
    kernelName,
    backendName: 'onnx',
    kernelFunc: ({ inputs, attrs, backend }) => onCpu(kernelName, inputs, attrs, backend as OnnxBackend)
  })
}

function onCpu (kernelName: string, inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined, backend: OnnxBackend): tf.TensorInfo | tf.TensorInfo[] {
  const given = Object.entries(inputs).filter(([, info]) => info !== undefined && info !== null) as Array<[string, tf.TensorInfo]>
  if (given.length > 0) backend.noteFallback(kernelName, given.map(([, info]) => info))
  const cpu = tf.findBackend('cpu')
  quiet(cpu)
  const copies = given.map(([name, info]): [string, tf.TensorInfo] => [name, { ...info, dataId: cpu.write(backend.readSync(info.dataId).slice() as tf.BackendValues, info.shape, info.dtype) }])
  const kernel = tf.getKernel(kernelName, 'cpu')
  const named = Array.isArray(inputs) ? copies.map(([, info]) => info) as never : Object.fromEntries(copies)
  const results = kernel.kernelFunc({ inputs: named, attrs: attrs as tf.NamedAttrMap, backend: cpu })
  const moved = [results].flat().map((result) => fromCpu(result, cpu, backend))
  for (const [, { dataId }] of copies) cpu.disposeData(dataId)
  return Array.isArray(results) ? moved : moved[0] as tf.TensorInfo
}

function fromCpu ({ dataId, shape, dtype }: tf.TensorInfo, cpu: tf.KernelBackend, backend: OnnxBackend): tf.TensorInfo {
  const values = cpu.readSync(dataId)
  cpu.disposeData(dataId)
  return { dataId: backend.write(values, shape, dtype), shape, dtype }
}

/** The backend's advice to install another one does not apply here. */
function quiet (cpu: tf.KernelBackend): void {
  Object.assign(cpu, { firstUse: false })
}
