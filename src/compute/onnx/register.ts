/** Registers the backend and its kernels with tfjs-core; what is missing runs on tfjs-backend-cpu. */
import * as tf from '@tensorflow/tfjs-core'
import { OnnxBackend } from './backend.ts'
import { fallBack, needsCpu, runOnCpu } from './fallback.ts'
import { binaryKernels } from './kernels/binary.ts'
import { blockKernels } from './kernels/blocks.ts'
import { convolutionKernels } from './kernels/convolution.ts'
import { depthwiseKernels } from './kernels/depthwise.ts'
import { fusedKernels } from './kernels/fused.ts'
import { gatherKernels } from './kernels/gather.ts'
import { imageKernels } from './kernels/image.ts'
import type { Inputs, Kernel } from './kernels/kernel.ts'
import { matmulKernels } from './kernels/matmul.ts'
import { normalisationKernels } from './kernels/normalisation.ts'
import { orderKernels } from './kernels/order.ts'
import { poolingKernels } from './kernels/pooling.ts'
import { reductionKernels } from './kernels/reduction.ts'
import { scatterKernels } from './kernels/scatter.ts'
import { shapeKernels } from './kernels/shape.ts'
import { unaryKernels } from './kernels/unary.ts'
import type { RuntimeOptions } from './session.ts'

/** The name under which tfjs-core knows the backend. */
export const backendName = 'onnx'

/** Kernels that run inside the graph. */
const kernels: readonly Kernel[] = [
  ...unaryKernels,
  ...binaryKernels,
  ...reductionKernels,
  ...shapeKernels,
  ...matmulKernels,
  ...gatherKernels,
  ...convolutionKernels,
  ...depthwiseKernels,
  ...poolingKernels,
  ...scatterKernels,
  ...blockKernels,
  ...normalisationKernels,
  ...imageKernels,
  ...fusedKernels,
  ...orderKernels
]

/** Names of the kernels that run inside the graph. */
export const graphKernels: ReadonlySet<string> = new Set([...kernels.map(({ name }) => name), 'Identity', 'Reshape'])

/** The one backend of this process; `options` count only for tensors that are read outside a compiled step, and only the first time. */
export function registerOnnx (options: RuntimeOptions): OnnxBackend {
  const known = tf.findBackend(backendName)
  if (known instanceof OnnxBackend) return known
  const backend = new OnnxBackend(options)
  tf.registerBackend(backendName, () => backend, 0)
  for (const kernel of kernels) register(kernel)
  registerAliases()
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    if (tf.getKernel(kernelName, backendName) === undefined) fallBack(kernelName)
  }
  return backend
}

function register ({ name, compute }: Kernel): void {
  tf.registerKernel({
    kernelName: name,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const onnx = backend as OnnxBackend
      if (needsCpu(inputs, attrs)) return runOnCpu(name, inputs, attrs, onnx)
      const result = compute(valuesOf(inputs, onnx), (attrs ?? {}) as never)
      return Array.isArray(result) ? result.map((value) => onnx.tensorOf(value)) : onnx.tensorOf(result)
    }
  })
}

/** Optional inputs that are not given are left out. */
function valuesOf (inputs: tf.NamedTensorInfoMap, backend: OnnxBackend): Inputs {
  const given = Object.entries(inputs).filter(([, info]) => info !== undefined && info !== null)
  return Object.fromEntries(given.map(([name, info]) => [name, backend.graphValue(info as tf.TensorInfo)]))
}

/** Reshape and Identity: the same data under another tensor. */
function registerAliases (): void {
  tf.registerKernel({
    kernelName: 'Identity',
    backendName,
    kernelFunc: ({ inputs, backend }) => alias(inputs['x'] as tf.TensorInfo, (inputs['x'] as tf.TensorInfo).shape, backend as OnnxBackend)
  })
  tf.registerKernel({
    kernelName: 'Reshape',
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const x = inputs['x'] as tf.TensorInfo
      const { shape } = attrs as unknown as tf.ReshapeAttrs
      return alias(x, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x.shape)), backend as OnnxBackend)
    }
  })
}

function alias ({ dataId, dtype }: tf.TensorInfo, shape: number[], backend: OnnxBackend): tf.TensorInfo {
  backend.incRef(dataId)
  return { dataId, shape, dtype }
}
