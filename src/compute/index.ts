/** The engine: steps written against tfjs-core, run by ONNX Runtime, TensorFlow or, for comparison, tfjs' own backends. */
import { chooseEngine, probesFor } from './choice.ts'
import { defaultMemory, defaultThreads } from './defaults.ts'
import type { Engine, EngineOptions } from './types.ts'
import './gradients.ts'

export { gelu, layerNorm } from './ops.ts'
export type { HostRecord, HostTensor } from './onnx/host.ts'
export type { CompiledStep, Engine, EngineOptions, Step, TensorRecord } from './types.ts'

/** Loads an engine. @throws InputError where its name is unknown or it does not work here, and Error if `threads` is not a positive whole number. */
export async function createEngine (options: EngineOptions = {}): Promise<Engine> {
  const { threads = defaultThreads(), memory = 'auto' } = options
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`threads must be a whole number from 1 up, not ${threads}`)
  const choice = await chooseEngine(options, probesFor(threads))
  switch (choice.name) {
    case 'tensorflow': {
      const { createTensorflowEngine } = await import('./tensorflow-engine.ts')
      return await createTensorflowEngine(threads, choice.reason)
    }
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx-engine.ts')
      return createOnnxEngine({ threads, memory: memory === 'auto' ? defaultMemory() : memory }, choice)
    }
    case 'wasm':
    case 'cpu': {
      const { createEagerEngine } = await import('./eager.ts')
      return await createEagerEngine(choice.name, threads, choice.reason)
    }
  }
}
