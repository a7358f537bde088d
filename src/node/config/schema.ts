import { z } from 'zod'
import type { EngineOptions } from '../../compute/index.ts'

export const ENGINES = ['auto', 'onnx', 'tensorflow', 'wasm', 'cpu'] as const satisfies ReadonlyArray<EngineOptions['name']>
export const PROVIDERS = ['auto', 'cuda', 'webgpu', 'cpu'] as const satisfies ReadonlyArray<EngineOptions['provider']>
export const MEMORY = ['auto', 'low', 'fast'] as const satisfies ReadonlyArray<EngineOptions['memory']>

/** One of a few words; another one is answered with all of them. */
function oneOf<const T extends readonly string[]> (words: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words, { error: ({ input }) => `${String(input)} is unknown: use ${words.slice(0, -1).join(', ')} or ${words.at(-1)}` })
}

/** What one site may set for itself; file < environment < flag. */
export const siteConfig = z.strictObject({
  name: z.string().min(1).max(60).optional(),
  data: z.string().min(1).optional(),
  /** Plane in which volumes are cut into slices; auto: the one in which they were acquired. */
  axis: z.enum(['auto', 'axial', 'coronal', 'sagittal']).default('auto'),
  listen: z.array(z.string().startsWith('/')).min(1).default(['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws']),
  bootstrap: z.array(z.string().startsWith('/')).default([]),
  controlPort: z.coerce.number().int().min(0).max(65535).default(0),
  engine: oneOf(ENGINES).default('auto'),
  /** Where the engine onnx runs its graphs. */
  provider: oneOf(PROVIDERS).default('auto'),
  /** Whether the engine keeps its working memory between steps (fast) or returns it (low). */
  memory: oneOf(MEMORY).default('auto'),
  /** CPU threads of the trainer; 0 leaves the choice to the engine. */
  threads: z.coerce.number().int().min(0).max(1024).default(0),
  /** MiB of image embeddings that predictions keep in the private folder for later prompts; 0 keeps none on disk. */
  embeddingCache: z.coerce.number().int().min(0).default(1024),
  /** Niceness of the trainer process, so that the network never waits for arithmetic. */
  nice: z.coerce.number().int().min(0).max(19).default(10),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info')
})

export type SiteConfig = z.infer<typeof siteConfig>
export type SiteSettings = z.input<typeof siteConfig>
