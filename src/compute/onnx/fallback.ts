import * as tf from '@tensorflow/tfjs-core'
import type { OnnxBackend } from './backend.ts'
import { cpuBackend, isHostType } from './host-store.ts'

/** Registers a kernel that reads its inputs and runs on tfjs-backend-cpu. */
export function fallBack (kernelName: string): void {
  tf.registerKernel({
    kernelName,
    backendName: 'onnx',
    kernelFunc: ({ inputs, attrs, backend }) => runOnCpu(kernelName, inputs, attrs, backend as OnnxBackend)
  })
}

/** Whether an input or the result is of a type that no graph takes. */
export function needsCpu (inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined): boolean {
  return isHostType(attrs?.['dtype']) || typeof attrs?.['value'] === 'string' || given(inputs).some(([, { dtype }]) => isHostType(dtype))
}

/** Runs a kernel on tfjs-backend-cpu; counted, and warned about once by name, unless it only makes constants. */
export function runOnCpu (kernelName: string, inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap | undefined, backend: OnnxBackend): tf.TensorInfo | tf.TensorInfo[] {
  const kernel = tf.getKernel(kernelName, 'cpu') as tf.KernelConfig | undefined
  if (kernel === undefined) throw new Error(`the kernel ${kernelName} takes no complex numbers or strings: split or encode them first`)
  const tensors = given(inputs)
  if (tensors.length > 0) backend.noteFallback(kernelName, tensors.map(([, info]) => info).filter(({ dtype }) => !isHostType(dtype)))
  const cpu = cpuBackend()
  const copies = tensors.map(([name, info]): [string, tf.TensorInfo] => [name, toCpu(info, cpu, backend)])
  const named = Array.isArray(inputs) ? copies.map(([, info]) => info) as never : Object.fromEntries(copies)
  const results = kernel.kernelFunc({ inputs: named, attrs: attrs as tf.NamedAttrMap, backend: cpu })
  const moved = [results].flat().map((result) => fromCpu(result, cpu, backend))
  for (const [, { dataId, dtype }] of copies) if (!isHostType(dtype)) cpu.disposeData(dataId)
  return Array.isArray(results) ? moved : moved[0] as tf.TensorInfo
}

/** Optional inputs that are not given are left out. */
function given (inputs: tf.NamedTensorInfoMap): Array<[string, tf.TensorInfo]> {
  return Object.entries(inputs).filter(([, info]) => info !== undefined && info !== null) as Array<[string, tf.TensorInfo]>
}

function toCpu (info: tf.TensorInfo, cpu: tf.KernelBackend, backend: OnnxBackend): tf.TensorInfo {
  const { dataId, shape, dtype } = info
  if (!isHostType(dtype)) return { ...info, dataId: cpu.write(backend.readSync(dataId).slice(), shape, dtype) }
  // A tensor of another backend moves here when it is first used.
  if (!backend.host.has(dataId)) tf.engine().moveData(backend, dataId)
  return { ...info, dataId: backend.host.cpuId(dataId) }
}

function fromCpu ({ dataId, shape, dtype }: tf.TensorInfo, cpu: tf.KernelBackend, backend: OnnxBackend): tf.TensorInfo {
  if (isHostType(dtype)) return { dataId: backend.host.adopt(dataId), shape, dtype }
  const values = cpu.readSync(dataId)
  cpu.disposeData(dataId)
  return { dataId: backend.write(values, shape, dtype), shape, dtype }
}
