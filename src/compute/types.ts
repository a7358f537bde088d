import type * as tf from '@tensorflow/tfjs-core'
import type { HostRecord } from './onnx/host.ts'
import type { Provider } from './onnx/providers.ts'

export type TensorRecord = Record<string, tf.Tensor>

/** Pure: same inputs → same outputs; no reads (dataSync) inside. */
export type Step = (inputs: TensorRecord) => TensorRecord

/** A step that is traced once per set of input names, shapes and types. */
export interface CompiledStep {
  /**
   * Feeds the inputs and resolves with the outputs; calls wait for one another. An engine may write outputs into the arrays of their
   * names and sizes in `into`, none of them in the memory of an input: for large states those of the step before last, which saves
   * making new ones.
   */
  run (inputs: HostRecord, into?: HostRecord): Promise<HostRecord>
  /** Waits for what runs and frees everything; later runs are refused. */
  dispose (): Promise<void>
}

/** `cpu` is tfjs' own plain JavaScript. */
export const engineNames = ['onnx', 'tensorflow', 'wasm', 'cpu'] as const
type EngineName = typeof engineNames[number]

export interface EngineOptions {
  /** `auto`: `tensorflow` where a CUDA device is visible to it, else `onnx`. */
  readonly name?: 'auto' | EngineName
  /** Where `onnx` runs its graphs. `auto`: the fastest that passes the self-test. */
  readonly provider?: 'auto' | Provider
  /** Threads within an operation; `defaultThreads` if not given. */
  readonly threads?: number
  /** `low` returns memory after every run, `fast` keeps it (10–20 % faster). `auto`: low where less than 4 GiB are free. */
  readonly memory?: 'auto' | 'low' | 'fast'
}

/** Which engine runs, where, and why. */
export interface EngineChoice {
  readonly name: EngineName
  /** `cpu`, `webgpu` or `cuda`. */
  readonly provider: Provider
  /** Why this one, and why not the others. */
  readonly reason: string
}

/** Runs steps written against tfjs-core. */
export interface Engine extends EngineChoice {
  /** `frozen`: inputs that never change and are not fed again; the engine may lay them out anew (twice their memory and more) for speed. */
  compile (step: Step, frozen?: HostRecord): CompiledStep
  /** Kernels that fell back to tfjs-cpu, with counts. */
  fallbacks (): ReadonlyMap<string, number>
  dispose (): Promise<void>
}
