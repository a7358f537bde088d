import { ENGINES, MEMORY, PROVIDERS, type ComputeSettings } from '../home/config/schema.ts'

/** For every command that computes; what is not given comes from CONSILIUM_ENGINE and the like, or from the site's config file. */
export const computeFlags = {
  engine: { choices: ENGINES, describe: 'compute engine' },
  provider: { choices: PROVIDERS, describe: 'where the engine onnx runs its graphs' },
  threads: { type: 'number', describe: 'CPU threads of the engine, 0 for its own choice' },
  memory: { choices: MEMORY, describe: 'whether the engine keeps its working memory (fast) or returns it (low)' }
} as const

/** The compute settings among the arguments of a command. */
export function computeArgs ({ engine, provider, threads, memory }: Partial<ComputeSettings>): Partial<ComputeSettings> {
  return Object.fromEntries(Object.entries({ engine, provider, threads, memory }).filter(([, value]) => value !== undefined))
}
