import { z } from 'zod'
import { oneOf, setting, whole } from '../setting.ts'

/** Which engine computes, and where; every command that computes takes these. */
export const engine = z.object({
  engine: setting(oneOf(['auto', 'onnx', 'tensorflow', 'wasm', 'cpu']).default('auto'), 'Compute engine'),
  provider: setting(oneOf(['auto', 'cuda', 'webgpu', 'cpu']).default('auto'), 'Where the engine onnx runs its graphs'),
  threads: setting(whole(1_024).default(0), 'CPU threads of the engine, 0 for its own choice'),
  memory: setting(
    oneOf(['auto', 'low', 'fast']).default('auto'),
    'Whether the engine keeps its working memory between steps (fast) or returns it (low)'
  )
})

export type ComputeSettings = Readonly<z.infer<typeof engine>>

/** How this site computes. */
export const compute = z.strictObject({
  ...engine.shape,
  nice: setting(whole(19).default(10), 'Niceness of the trainer process, so that the network never waits for arithmetic'),
  embeddingCache: setting(
    whole().default(1024),
    'Image embeddings that predictions keep in the private folder for later prompts, 0 for none',
    { unit: 'MiB' }
  )
})
