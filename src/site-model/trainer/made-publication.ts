import type { Fitted } from '../../dataset/index.ts'
import type { TrainerSetup } from '../../rounds/trainer-messages.ts'
import type { PublicationKind } from '../../settings/publication-kinds.ts'
import { bothConsent } from '../../settings/publications.ts'
import { amplitudeBank } from '../amplitude-bank.ts'

export type Showing = Pick<TrainerSetup, 'method' | 'publish' | 'training' | 'siteSeed'>

/** A publication of training images; undefined without both consents, and where there are too few patients. */
export function madePublication (
  kind: PublicationKind,
  { method, publish, training: { episode }, siteSeed }: Showing,
  samples: readonly Fitted[]
): Float32Array | undefined {
  if (!bothConsent({ sharing: method?.sharing, publish }, kind) || episode == null) return undefined
  return amplitudeBank(samples, { episode, siteSeed })
}
