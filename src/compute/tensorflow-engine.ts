/** The engine `tensorflow`: the kernels of tfjs-node, registered with the one tfjs-core of this process. */
import { createRequire, registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { keepFullPrecision } from '../common/full-precision.ts'
import { messageOf } from '../common/message-of.ts'
import { InputError } from '../errors.ts'
import { eagerEngine } from './eager.ts'
import { findTensorflow, SETUP } from './tensorflow-location.ts'
import type { TensorflowLocation } from './tensorflow-location.ts'
import type { Engine } from './types.ts'

const BACKEND = 'tensorflow'

interface Backend extends tf.KernelBackend { isUsingGpuDevice: boolean, binding: { TF_Version?: string } }
interface BackendModule { NodeJSKernelBackend: new (binding: unknown, packageName: string) => Backend }

/** @throws InputError that says what to install or why it failed. */
export async function createTensorflowEngine (threads: number, reason: string): Promise<Engine> {
  const location = findTensorflow()
  if (typeof location === 'string') throw new InputError(`the engine tensorflow is ${location}`)
  const { isUsingGpuDevice } = loadTensorflow(location, threads)
  if (!await tf.setBackend(BACKEND)) throw new Error('tfjs could not start its backend tensorflow')
  return eagerEngine(BACKEND, { name: 'tensorflow', provider: isUsingGpuDevice ? 'cuda' : 'cpu', reason })
}

interface Loaded { readonly isUsingGpuDevice: boolean, readonly version: string }

/** Registers backend and kernels, once per process; `threads` only counts the first time. @throws InputError where it does not load. */
export function loadTensorflow ({ root, binding }: TensorflowLocation, threads: number): Loaded {
  const known = tf.findBackend(BACKEND) as Backend | null
  if (known !== null) return describe(known)
  // These only count before the library loads.
  keepFullPrecision()
  setIfFree('TF_CPP_MIN_LOG_LEVEL', '2')
  setIfFree('TF_NUM_INTRAOP_THREADS', String(threads))
  try {
    const backend = load(root, binding)
    tf.registerBackend(BACKEND, () => backend, 0)
    return describe(backend)
  } catch (error) {
    throw new InputError(
      `the engine tensorflow is broken: ${root} does not load (${messageOf(error).split('\n', 1)[0]}): ${SETUP} again`
    )
  }
}

function setIfFree (name: string, value: string): void {
  process.env[name] ??= value
}

function describe (backend: Backend): Loaded {
  return { isUsingGpuDevice: backend.isUsingGpuDevice, version: backend.binding.TF_Version ?? 'of unknown version' }
}

/** tfjs-node asks for `@tensorflow/tfjs`, which would bring a second core: it gets ours, which has all that its backend and kernels use. */
function load (root: string, binding: string): Backend {
  restoreUtil()
  const within = createRequire(join(root, 'package.json'))
  const core = pathToFileURL(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core')).href
  const hooks = registerHooks({
    resolve: (specifier, context, next) => /^@tensorflow\/tfjs(-core)?$/.test(specifier)
      ? { url: core, format: 'commonjs', shortCircuit: true }
      : next(specifier, context)
  })
  try {
    const { NodeJSKernelBackend } = within('./dist/nodejs_kernel_backend.js') as BackendModule
    within('./dist/register_all_kernels.js')
    return new NodeJSKernelBackend(within(binding), (within('./package.json') as { name: string }).name)
  } finally {
    hooks.deregister()
  }
}

/** tfjs-node 4.22 uses two functions that Node 22 warns of and Node 23 has dropped. */
function restoreUtil (): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined
  util['isArray'] = Array.isArray
}
