/** Steps run kernel by kernel on one of tfjs' backends: the reference for tests, and a way out where ONNX Runtime does not load. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { activate, dropTape } from './onnx/activate.ts'
import { checkInputs, dtypeOf } from './onnx/host.ts'
import type { HostRecord, HostTensor } from './onnx/host.ts'
import type { CompiledStep, Engine, EngineChoice, Step } from './types.ts'

export async function createEagerEngine (name: 'wasm' | 'cpu', threads: number, reason: string): Promise<Engine> {
  const started = name === 'wasm' ? await withoutListeners(async () => await startWasm(threads)) : await startCpu()
  if (!started) throw new Error(`tfjs could not start its backend ${name}`)
  return eagerEngine(name, { name, provider: 'cpu', reason })
}

/** An engine on a backend that tfjs-core knows and that has started. */
export function eagerEngine (backend: string, choice: EngineChoice): Engine {
  let open = true
  return {
    ...choice,
    compile (step, frozen = {}) {
      if (!open) throw new Error('the engine is disposed: create another one')
      return eagerStep(backend, step, frozen)
    },
    fallbacks: () => new Map(),
    dispose () {
      open = false
      return Promise.resolve()
    }
  }
}

async function startCpu (): Promise<boolean> {
  await import('@tensorflow/tfjs-backend-cpu')
  // The backend's advice to install another one does not apply here.
  Object.assign(tf.findBackend('cpu'), { firstUse: false })
  return await tf.setBackend('cpu')
}

let wasmConfigured = false

async function startWasm (threads: number): Promise<boolean> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'))
  // Asking tfjs whether the backend exists would start it, and both settings only count before that.
  if (!wasmConfigured) {
    wasm.setWasmPaths(join(folder, 'wasm-out/'))
    wasm.setThreadsCount(threads)
    wasmConfigured = true
  }
  return await tf.setBackend('wasm')
}

/** The wasm package hangs itself on the process's failures, after which every uncaught error prints its whole source. */
async function withoutListeners<T> (load: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map((event) => process.rawListeners(event))
  const result = await load()
  for (const [index, event] of events.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (before[index]?.includes(listener) === false) process.off(event, listener as () => void)
    }
  }
  return result
}

function eagerStep (backend: string, step: Step, frozen: HostRecord): CompiledStep {
  let open = true
  return {
    async run (inputs) {
      if (!open) throw new Error('the compiled step is disposed: compile it again')
      checkInputs(inputs)
      return await read(evaluate(backend, step, { ...frozen, ...inputs }))
    },
    dispose () {
      open = false
      return Promise.resolve()
    }
  }
}

function evaluate (backend: string, step: Step, inputs: HostRecord): Record<string, tf.Tensor> {
  activate(backend)
  try {
    return tf.tidy(() => step(Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, toTensor(tensor)]))))
  } catch (error) {
    dropTape()
    throw error
  }
}

function toTensor (host: HostTensor): tf.Tensor {
  return tf.tensor(host.data, [...host.shape], dtypeOf(host))
}

async function read (outputs: Record<string, tf.Tensor>): Promise<HostRecord> {
  const tensors = Object.entries(outputs)
  const record = Object.fromEntries(await Promise.all(tensors.map(async ([name, tensor]): Promise<[string, HostTensor]> => {
    const data = await tensor.data()
    return [name, { shape: tensor.shape, data: data instanceof Float32Array ? data.slice() : Int32Array.from(data) }]
  })))
  tf.dispose(outputs)
  return record
}
