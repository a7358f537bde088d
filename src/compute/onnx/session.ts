/** ONNX Runtime: options, the public asynchronous API, and the binding's synchronous one for `dataSync`. */
import { createRequire } from 'node:module'
import * as ort from 'onnxruntime-node'
import type { Provider } from './providers.ts'
import type { Data } from './value.ts'

export interface RuntimeOptions {
  /** Threads within an operator; 1 really uses one. */
  readonly threads: number
  /** `low` returns memory after every run, `fast` keeps it (10–20 % faster). */
  readonly memory: 'low' | 'fast'
  /** Where the graph runs; what a provider cannot run goes to the CPU. `cpu` if not given. */
  readonly provider?: Provider
}

export function sessionOptions (options: RuntimeOptions): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: options.provider === undefined || options.provider === 'cpu' ? ['cpu'] : [options.provider, 'cpu'],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableCpuMemArena: options.memory === 'fast',
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
    // Spinning workers would take the cores of the other trainers on the machine.
    extra: { session: { intra_op: { allow_spinning: '0' } } }
  }
}

interface SyncSession {
  loadModel (buffer: ArrayBufferLike, offset: number, length: number, options: ort.InferenceSession.SessionOptions): void
  run (feeds: Record<string, ort.Tensor>, fetches: Record<string, null>, options: object): Record<string, ort.Tensor>
  dispose (): void
}

interface Binding { initOrt: () => void, binding: { InferenceSession: new () => SyncSession } }

/** Runs a model once without giving way to the event loop, as tfjs' `dataSync` demands. */
export function runSync (bytes: Uint8Array, options: RuntimeOptions, feeds: Record<string, ort.Tensor>, outputs: readonly string[]): Record<string, ort.Tensor> {
  const { initOrt, binding } = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as Binding
  if (typeof (binding.InferenceSession.prototype as Partial<SyncSession>).loadModel !== 'function') throw new Error('this version of onnxruntime-node has no synchronous run: use data() instead of dataSync()')
  initOrt()
  const session = new binding.InferenceSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, sessionOptions(options))
  try {
    return session.run(feeds, Object.fromEntries(outputs.map((name) => [name, null])), {})
  } finally {
    session.dispose()
  }
}

export function toOrt (data: Data, type: string, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor(type as 'float32', data as Float32Array, shape)
}
