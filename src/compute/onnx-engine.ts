import '@tensorflow/tfjs-backend-cpu'
import type { Engine } from './types.ts'
import { Compilation } from './onnx/compilation.ts'
import { registerOnnx } from './onnx/register.ts'
import type { RuntimeOptions } from './onnx/session.ts'

/** The engine that runs whole steps as one ONNX Runtime graph. */
export function createOnnxEngine (options: RuntimeOptions): Engine {
  const backend = registerOnnx(options)
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
    fallbacks: () => backend.fallbacks,
    async dispose () {
      open = false
      await Promise.all(Array.from(compiled, async (compilation) => { await compilation.dispose() }))
      compiled.clear()
    }
  }
}
