import type { HostRecord } from '../../compute/index.ts'
import { vector } from './host-records.ts'
import { OWN_BETA_2, stepScalars } from './optimiser.ts'

/** Scalars of step `step` (from 1) of phase G; those of a discriminator have a rate of their own (docs/spec/alignment.md#steps). */
export function globalScalars (step: number, rateFactor: number, { discriminator = 0 }: { readonly discriminator?: number }): HostRecord {
  const shared = { '@scalars': vector(stepScalars(step, rateFactor)) }
  return discriminator === 0 ? shared : { ...shared, '@ownScalars': vector(stepScalars(step, 1, OWN_BETA_2)) }
}
