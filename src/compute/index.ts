/** The engine: steps written against tfjs-core, run by ONNX Runtime, TensorFlow or, for comparison, tfjs' own backends. */
import { chooseEngine, probesFor } from './choice.ts'
import { defaultMemory, defaultThreads } from './defaults.ts'
import type { Engine, EngineChoice, EngineOptions } from './types.ts'
import './gradients.ts'

export { inspectEngines, measureSpeed } from './inspect.ts'
export type { EnginesView } from './inspect.ts'
export { attend } from './attention.ts'
export { gelu, layerNorm } from './ops.ts'
export { toPortable } from './portable.ts'
export type { HostRecord, HostTensor } from './onnx/host.ts'
export type { CompiledStep, Engine, EngineOptions, Step, TensorRecord } from './types.ts'

/**
 * Loads an engine. @throws InputError where its name is unknown or it does not work here, and Error if `threads` is not a positive
 * whole number.
 */
export async function createEngine (options: EngineOptions = {}): Promise<Engine> {
  const { threads = defaultThreads(), memory = 'auto' } = options
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`threads must be a whole number from 1 up, not ${threads}`)
  return await openEngine(await chooseEngine(options, probesFor(threads)), {
    threads,
    memory: memory === 'auto' ? defaultMemory() : memory
  })
}

/** Loads what was chosen. @throws InputError where it does not load. */
async function openEngine (choice: EngineChoice, settings: { readonly threads: number, readonly memory: 'low' | 'fast' }): Promise<Engine> {
  switch (choice.name) {
    case 'tensorflow': {
      const { createTensorflowEngine } = await import('./tensorflow-engine.ts')
      return await createTensorflowEngine(settings.threads, choice.reason)
    }
    case 'onnx': {
      const { createOnnxEngine } = await import('./onnx-engine.ts')
      return createOnnxEngine(settings, choice)
    }
    case 'wasm':
    case 'cpu': {
      const { createEagerEngine } = await import('./eager.ts')
      return await createEagerEngine(choice.name, settings.threads, choice.reason)
    }
  }
}
