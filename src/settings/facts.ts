import type { FactSpec } from '../gossip-aggregation/facts.ts'
import type { AveragingSettings } from './averaging.ts'
import type { MethodSettings } from './method.ts'
import type { ModelSettings } from './model.ts'
import type { PrivacySettings } from './privacy.ts'
import type { TrainSettings } from './training.ts'

interface Sections {
  readonly method?: MethodSettings | undefined
  readonly averaging: Pick<AveragingSettings, 'maxMass'>
}

interface Around extends Sections {
  readonly model: Pick<ModelSettings, 'moe'>
  readonly training: Pick<TrainSettings, 'mixup'>
  readonly privacy?: PrivacySettings | undefined
}

/** What every site announces of itself beside its adapter (docs/spec/mixing.md#facts); nothing where the method asks none. */
export function factSpecs ({ method, averaging }: Sections): readonly FactSpec[] {
  if (method?.robust == null) return []
  return [{ name: 'loss', length: 1, least: 0, most: 1 }, { name: 'mass', length: 1, least: 0, most: averaging.maxMass }]
}

/** What facts, and what is made of them, do not go together with; undefined where all fits. */
export function conflictInFacts (settings: Around): string | undefined {
  const { method, model } = settings
  const hasOwn = model.moe.blocks.length > 0 || method?.personal === 'copy'
  if (method?.robust?.excess === true && !hasOwn) {
    return 'method.robust.excess: a site without experts or a copy has no own model to count from: say false'
  }
  return conflictWithPrivacy(settings)
}

function conflictWithPrivacy ({ training, privacy: { unit } = { unit: 'none' }, ...sections }: Around): string | undefined {
  if (unit === 'patient' && training.mixup != null) {
    return 'training.mixup: a mixed image is of two patients, and privacy bounds what one of them does: leave one of them out'
  }
  return unit === 'none' || factSpecs(sections).length === 0
    ? undefined
    : 'method.robust: what sites announce of their images carries no noise, and privacy would promise nothing: leave one of them out'
}

/** One sentence where a document lets sites announce facts. */
export function factsInWords (sections: Sections): string[] {
  if (factSpecs(sections).length === 0) return []
  return ['sites announce what the shared adapter lacks on their training images, one number a round, and how many images they have']
}
