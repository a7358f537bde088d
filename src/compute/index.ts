/** The engine: steps written against tfjs-core, run by ONNX Runtime or, for comparison, by tfjs' own backends. */
import { availableParallelism } from 'node:os'
import type { Engine, EngineOptions } from './types.ts'
import './gradients.ts'

export { gelu, layerNorm } from './ops.ts'
export type { HostRecord, HostTensor } from './onnx/host.ts'
export type { CompiledStep, Engine, EngineOptions, Step, TensorRecord } from './types.ts'

/** Loads the engine of that name (`auto` = `onnx`); throws if its package cannot be loaded or `threads` is not a positive whole number. */
export async function createEngine (options: EngineOptions = {}): Promise<Engine> {
  const { name = 'auto', threads = availableParallelism(), memory = defaultMemory() } = options
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`threads must be a whole number from 1 up, not ${threads}`)
  if (name === 'wasm' || name === 'cpu') {
    const { createEagerEngine } = await import('./eager.ts')
    return await createEagerEngine(name, threads)
  }
  const { createOnnxEngine } = await import('./onnx-engine.ts')
  return createOnnxEngine({ threads, memory })
}

/** An arena is worth its memory unless the machine has little to spare. */
function defaultMemory (): 'low' | 'fast' {
  return process.availableMemory() < 4 * 2 ** 30 ? 'low' : 'fast'
}
