import '@tensorflow/tfjs-backend-cpu'
import { keepFullPrecision } from '../common/full-precision.ts'
import { defaultThreads } from './defaults.ts'
import type { Engine, EngineChoice } from './types.ts'
import { Compilation } from './onnx/compilation.ts'
import { registerOnnx } from './onnx/register.ts'
import type { RuntimeOptions } from './onnx/session.ts'

/** The engine that runs whole steps as one ONNX Runtime graph. */
export function createOnnxEngine (settings: Omit<RuntimeOptions, 'provider'>, { provider, reason }: Omit<EngineChoice, 'name'>): Engine {
  keepFullPrecision()
  // Fewer threads than the machine has use for: others work here too.
  const options = { spin: settings.threads >= defaultThreads(), ...settings, provider }
  // What is read outside a compiled step is small: it stays on the CPU.
  const backend = registerOnnx(settings)
  const before = new Map(backend.fallbacks)
  const compiled = new Set<Compilation>()
  let open = true
  return {
    name: 'onnx',
    provider,
    reason,
    compile (step, frozen = {}) {
      if (!open) throw new Error('the engine is disposed: create another one')
      const compilation = new Compilation({ backend, options, step, frozen })
      compiled.add(compilation)
      return compilation
    },
    fallbacks: () => since(before, backend.fallbacks),
    async dispose () {
      open = false
      await Promise.all(Array.from(compiled, async (compilation) => { await compilation.dispose() }))
      compiled.clear()
    }
  }
}

/** The backend is one for the whole process; an engine reports what came after it was made. */
function since (before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): Map<string, number> {
  const counts = Array.from(now, ([kernel, count]): [string, number] => [kernel, count - (before.get(kernel) ?? 0)])
  return new Map(counts.filter(([, count]) => count > 0))
}
