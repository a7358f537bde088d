import type { Fitted } from '../../dataset/index.ts'
import type { TrainerSetup } from '../../rounds/trainer-messages.ts'
import type { PublicationKind } from '../../settings/publication-kinds.ts'
import { bothConsent } from '../../settings/publications.ts'
import { amplitudeBank } from '../amplitude-bank.ts'

export type Showing = Pick<TrainerSetup, 'method' | 'publish' | 'training' | 'siteSeed'>

/** What publications are made of. */
interface Sources {
  /** Training images. */
  readonly samples: readonly Fitted[]
  /** What the learner says of itself; undefined before it has trained. */
  readonly core: Float32Array | undefined
  /** Of the features of training images. */
  readonly moments: () => Promise<Float32Array | undefined>
}

/** Undefined without both consents, where there are too few patients, and before there is anything to show. */
export async function madePublication (
  kind: PublicationKind,
  { method, publish, training: { episode }, siteSeed }: Showing,
  { samples, core, moments }: Sources
): Promise<Float32Array | undefined> {
  if (!bothConsent({ sharing: method?.sharing, publish }, kind)) return undefined
  switch (kind) {
    case 'core-adapter': return core
    case 'moments': return await moments()
    case 'amplitude-bank': return episode == null ? undefined : amplitudeBank(samples, { episode, siteSeed })
  }
}
