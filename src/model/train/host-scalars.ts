import type { HostRecord } from '../../compute/index.ts'
import { vector } from './host-records.ts'
import { OWN_BETA_2, stepScalars } from './optimiser.ts'

/** Scalars of step `step` (from 1) of phase G; those of what is trained apart have a rate of their own. */
export function globalScalars (step: number, rateFactor: number, { apart = 0 }: { readonly apart?: number }): HostRecord {
  const shared = { '@scalars': vector(stepScalars(step, rateFactor)) }
  return apart === 0 ? shared : { ...shared, '@ownScalars': vector(stepScalars(step, 1, OWN_BETA_2)) }
}
