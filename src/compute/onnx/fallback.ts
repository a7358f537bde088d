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
  return isHostType(attrs?.['dtype']) || typeof attrs?.['value'] === 'string' || given(inputs).some(({ dtype }) => isHostType(dtype))
}

/** Runs a kernel on tfjs-backend-cpu; counted, and warned about once by name, unless it only makes constants. */
export function runOnCpu (
  kernelName: string,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap | undefined,
  backend: OnnxBackend
): tf.TensorInfo | tf.TensorInfo[] {
  const kernel = tf.getKernel(kernelName, 'cpu') as tf.KernelConfig | undefined
  if (kernel === undefined) throw new Error(`the kernel ${kernelName} takes no complex numbers or strings: split or encode them first`)
  const tensors = given(inputs)
  if (tensors.length > 0) backend.noteFallback(kernelName, tensors.filter(({ dtype }) => !isHostType(dtype)))
  const cpu = cpuBackend()
  const copies = new Map(tensors.map((info) => [info, toCpu(info, cpu, backend)]))
  const results = kernel.kernelFunc({
    inputs: replaced(inputs, copies) as tf.NamedTensorInfoMap,
    attrs: attrs as tf.NamedAttrMap,
    backend: cpu
  })
  const moved = [results].flat().map((result) => fromCpu(result, cpu, backend))
  for (const { dataId, dtype } of copies.values()) if (!isHostType(dtype)) cpu.disposeData(dataId)
  return Array.isArray(results) ? moved : moved[0] as tf.TensorInfo
}

/** An input may be a list (ragged kernels); optional ones that are not given are left out. */
type InputTree = tf.TensorInfo | readonly InputTree[] | { readonly [name: string]: InputTree | undefined | null } | undefined | null

function isTensor (tree: object): tree is tf.TensorInfo {
  return 'dataId' in tree
}

function given (tree: InputTree): tf.TensorInfo[] {
  if (tree === undefined || tree === null) return []
  return isTensor(tree) ? [tree] : Object.values(tree).flatMap(given)
}

function replaced (tree: InputTree, copies: ReadonlyMap<tf.TensorInfo, tf.TensorInfo>): InputTree {
  if (tree === undefined || tree === null) return tree
  if (isTensor(tree)) return copies.get(tree)
  if (Array.isArray(tree)) return tree.map((item: InputTree) => replaced(item, copies))
  return Object.fromEntries(Object.entries(tree as Record<string, InputTree>).map(([name, item]) => [name, replaced(item, copies)]))
}

/** With the rank that some kernels read although it is not part of a tensor's description. */
function toCpu ({ dataId, shape, dtype }: tf.TensorInfo, cpu: tf.KernelBackend, backend: OnnxBackend): tf.TensorInfo & { rank: number } {
  const described = { shape, dtype, rank: shape.length }
  if (!isHostType(dtype)) return { ...described, dataId: cpu.write(backend.readSync(dataId).slice(), shape, dtype) }
  // A tensor of another backend moves here when it is first used.
  if (!backend.host.has(dataId)) tf.engine().moveData(backend, dataId)
  return { ...described, dataId: backend.host.cpuId(dataId) }
}

function fromCpu ({ dataId, shape, dtype }: tf.TensorInfo, cpu: tf.KernelBackend, backend: OnnxBackend): tf.TensorInfo {
  if (isHostType(dtype)) return { dataId: backend.host.adopt(dataId), shape, dtype }
  const values = cpu.readSync(dataId)
  cpu.disposeData(dataId)
  return { dataId: backend.write(values, shape, dtype), shape, dtype }
}
