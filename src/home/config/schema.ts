import { z } from 'zod'
import { isMultiaddress } from './multiaddress.ts'

export const ENGINES = ['auto', 'onnx', 'tensorflow', 'wasm', 'cpu'] as const
export const PROVIDERS = ['auto', 'cuda', 'webgpu', 'cpu'] as const
export const MEMORY = ['auto', 'low', 'fast'] as const

/** One of a few words; another one is answered with all of them. */
function oneOf<const T extends readonly string[]> (words: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words, { error: ({ input }) => `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}, not ${String(input)}` })
}

function whole (most: number): z.ZodCoercedNumber {
  const wanted = most === Number.MAX_SAFE_INTEGER ? 'must be a whole number from 0' : `must be a whole number from 0 to ${most}`
  return z.coerce.number(wanted).int(wanted).min(0, wanted).max(most, wanted)
}

const ADDRESSES = 'must be addresses such as /ip4/10.0.0.5/tcp/4001'
const addresses = z.array(z.string(ADDRESSES).refine(isMultiaddress, ADDRESSES), ADDRESSES)
const NAME = 'must have 1 to 60 characters'
const FOLDER = 'must name a folder'

/** What one site may set for itself; file < environment < flag. */
export const siteConfig = z.strictObject({
  name: z.string(NAME).min(1, NAME).max(60, NAME).optional(),
  data: z.string(FOLDER).min(1, FOLDER).optional(),
  /** Plane in which volumes are cut into slices; auto: the one in which they were acquired. */
  axis: oneOf(['auto', 'axial', 'coronal', 'sagittal']).default('auto'),
  listen: addresses.min(1, ADDRESSES).default(['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws']),
  bootstrap: addresses.default([]),
  controlPort: whole(65_535).default(0),
  engine: oneOf(ENGINES).default('auto'),
  /** Where the engine onnx runs its graphs. */
  provider: oneOf(PROVIDERS).default('auto'),
  /** Whether the engine keeps its working memory between steps (fast) or returns it (low). */
  memory: oneOf(MEMORY).default('auto'),
  /** CPU threads of the trainer; 0 leaves the choice to the engine. */
  threads: whole(1_024).default(0),
  /** MiB of image embeddings that predictions keep in the private folder for later prompts; 0 keeps none on disk. */
  embeddingCache: whole(Number.MAX_SAFE_INTEGER).default(1024),
  /** Niceness of the trainer process, so that the network never waits for arithmetic. */
  nice: whole(19).default(10),
  logLevel: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info')
})

export type SiteConfig = z.infer<typeof siteConfig>
export type SiteSettings = z.input<typeof siteConfig>
/** What decides which engine trains, and where. */
export type ComputeSettings = Pick<SiteConfig, 'engine' | 'provider' | 'threads' | 'memory'>
