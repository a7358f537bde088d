import type { EngineOptions } from '../compute/index.ts'
import type { ComputeSettings } from '../settings/site/compute.ts'

/** The settings as the compute engine takes them; 0 threads leave the number to it. */
export function engineOptions ({ engine, provider, threads, memory }: ComputeSettings): EngineOptions {
  return { name: engine, provider, memory, ...(threads > 0 ? { threads } : {}) }
}
