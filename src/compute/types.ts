import type * as tf from '@tensorflow/tfjs-core'
import type { HostRecord } from './onnx/host.ts'

export type TensorRecord = Record<string, tf.Tensor>

/** Pure: same inputs → same outputs; no reads (dataSync) inside. */
export type Step = (inputs: TensorRecord) => TensorRecord

/** A step that is traced once per set of input names, shapes and types. */
export interface CompiledStep {
  /** Feeds the inputs and resolves with the outputs; calls wait for one another. */
  run (inputs: HostRecord): Promise<HostRecord>
  /** Waits for what runs and frees everything; later runs are refused. */
  dispose (): Promise<void>
}

export interface EngineOptions {
  /** `auto` is `onnx`. */
  readonly name?: 'auto' | 'onnx' | 'wasm' | 'cpu'
  /** Threads within an operation; all cores if not given. */
  readonly threads?: number
  /** `low` returns memory after every run, `fast` keeps it (10–20 % faster); `low` by default only where less than 4 GiB are free. */
  readonly memory?: 'low' | 'fast'
}

/** Runs steps written against tfjs-core. */
export interface Engine {
  readonly name: string
  compile (step: Step): CompiledStep
  /** Kernels that fell back to tfjs-cpu, with counts. */
  fallbacks (): ReadonlyMap<string, number>
  dispose (): Promise<void>
}
