import '@tensorflow/tfjs-backend-cpu'
import type { Engine } from './types.ts'
import { Compilation } from './onnx/compilation.ts'
import { registerOnnx } from './onnx/register.ts'
import type { RuntimeOptions } from './onnx/session.ts'

/** The engine that runs whole steps as one ONNX Runtime graph. */
export function createOnnxEngine (options: RuntimeOptions): Engine {
  const backend = registerOnnx(options)
  const before = new Map(backend.fallbacks)
  const compiled = new Set<Compilation>()
  let open = true
  return {
    name: 'onnx',
    compile (step) {
      if (!open) throw new Error('the engine is disposed: create another one')
      const compilation = new Compilation(backend, options, step)
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
