/** ONNX Runtime: options, the public asynchronous API, and the binding's synchronous one for `dataSync`. */
import { createRequire } from 'node:module'
// Before ONNX Runtime.
import './no-telemetry.ts'
import * as ort from '#onnxruntime/dist/index.js'
import { sequenceName } from './model.ts'
import type { Model } from './model.ts'
import type { Provider } from './providers.ts'
import type { Data } from './value.ts'

export interface RuntimeOptions {
  /** Threads within an operator; 1 really uses one. */
  readonly threads: number
  /** `low` returns memory after every run, `fast` keeps it (10–20 % faster). */
  readonly memory: 'low' | 'fast'
  /** Where the graph runs; what a provider cannot run goes to the CPU. `cpu` if not given. */
  readonly provider?: Provider
  /** Whether idle workers wait for the next operation at full load: a tenth faster where the machine does nothing else. */
  readonly spin?: boolean
  /** Path prefix under which ONNX Runtime writes how long each operation took, once the session is released. */
  readonly profile?: string
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
    // Spinning workers would take the cores of the other trainers on the machine; between two runs they never spin.
    extra: { session: { intra_op: { allow_spinning: options.spin === true ? '1' : '0' }, force_spinning_stop: '1' } }
  }
}

interface SyncSession {
  loadModel (buffer: ArrayBufferLike, offset: number, length: number, options: ort.InferenceSession.SessionOptions): void
  run (feeds: Record<string, ort.Tensor>, fetches: Record<string, null>, options: object): Record<string, ort.Tensor>
  dispose (): void
}

interface Binding { initOrt: () => void, binding: { InferenceSession: new () => SyncSession } }

/** A session that runs without giving way to the event loop, as tfjs' `dataSync` demands. */
export interface ImmediateSession {
  run (feeds: Record<string, ort.Tensor>): Record<string, ort.Tensor>
  release (): void
}

export async function createSession ({ bytes, external }: Model, options: RuntimeOptions): Promise<ort.InferenceSession> {
  return await ort.InferenceSession.create(bytes, { ...sessionOptions(options), externalData: external })
}

/**
 * Runs a model that has a sequence as its first output and writes the others into the arrays given. onnxruntime-node 1.30 fills given
 * arrays in place but then copies all outputs into new ones, in their order (180 ms for 170 MB): one that it cannot convert ends that
 * before it begins.
 */
export async function runInto (
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  fetches: Record<string, ort.Tensor>
): Promise<void> {
  try {
    await session.run(feeds, { [sequenceName]: null, ...fetches })
  } catch (error) {
    if (!(error as Error).message.startsWith('Non tensor type')) throw error
  }
}

export function createImmediate ({ bytes, external }: Model, outputs: readonly string[], options: RuntimeOptions): ImmediateSession {
  const { initOrt, binding } = createRequire(import.meta.url)('#onnxruntime/dist/binding.js') as Binding
  if (typeof (binding.InferenceSession.prototype as Partial<SyncSession>).loadModel !== 'function') {
    throw new Error('this version of onnxruntime-node has no synchronous run: use data() instead of dataSync()')
  }
  initOrt()
  const session = new binding.InferenceSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, { ...sessionOptions(options), externalData: external })
  const fetches = Object.fromEntries(outputs.map((name) => [name, null]))
  return {
    run: (feeds) => session.run(feeds, fetches, {}),
    release: () => { session.dispose() }
  }
}

export function toOrt (data: Data, type: string, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor(type as 'float32', data as Float32Array, shape)
}
