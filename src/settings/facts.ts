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
  readonly model: Pick<ModelSettings, 'moe' | 'lora'>
  readonly training: Pick<TrainSettings, 'mixup'>
  readonly privacy?: PrivacySettings | undefined
}

/** What every site announces of itself beside its adapter (docs/spec/mixing.md#facts); nothing where the method asks none. */
export function factSpecs ({ method, averaging }: Sections): readonly FactSpec[] {
  const mass = { name: 'mass', length: 1, least: 0, most: averaging.maxMass }
  return [
    ...(method?.robust == null ? [] : [{ name: 'loss', length: 1, least: 0, most: 1 }]),
    ...(method?.robust == null && method?.units == null ? [] : [mass])
  ]
}

/** What facts, and what is made of them, do not go together with; undefined where all fits. */
export function conflictInFacts (settings: Around): string | undefined {
  const { method, model } = settings
  const hasOwn = model.moe.blocks.length > 0 || method?.personal === 'copy'
  if (method?.robust?.excess === true && !hasOwn) {
    return 'method.robust.excess: a site without experts or a copy has no own model to count from: say false'
  }
  return conflictInUnits(settings) ?? conflictInRelations(settings) ?? conflictWithPrivacy(settings)
}

function conflictInUnits (settings: Around): string | undefined {
  if (settings.method?.units == null) return undefined
  const other = whatStays(settings)
  if (other != null) return `method.units: ${other} what stays at a site already: leave one of them out`
  return hasFactors(settings)
    ? undefined
    : 'method.units: a unit is a component of both factors of LoRA: say "aggregation": "factors" in model.lora'
}

function conflictInRelations (settings: Around): string | undefined {
  const { relations, sharing, units, robust } = settings.method ?? {}
  if (relations == null) return undefined
  if (sharing?.includes('core-adapter') !== true) {
    return 'method.relations: they are to what other sites show: say "sharing": ["core-adapter"] in method'
  }
  const other = units == null ? whatStays(settings) : 'method.units is'
  if (other != null) return `method.relations: ${other} what stays at a site already: leave one of them out`
  if (robust != null) {
    return 'method.relations: the average must be that of what sites show, and method.robust would move it away: leave one of them out'
  }
  return hasFactors(settings)
    ? undefined
    : 'method.relations: what sites show is mixed as it is trained: say "aggregation": "factors" in model.lora'
}

function whatStays ({ method, model }: Around): string | undefined {
  if (model.moe.blocks.length > 0) return 'experts are'
  return method?.personal === 'copy' ? 'method.personal copy is' : method?.keeps != null ? 'method.keeps is' : undefined
}

function hasFactors ({ model: { lora } }: Around): boolean {
  return (lora.aggregation ?? 'factors') === 'factors'
}

function conflictWithPrivacy ({ training, privacy: { unit } = { unit: 'none' }, ...sections }: Around): string | undefined {
  if (unit === 'patient' && training.mixup != null) {
    return 'training.mixup: a mixed image is of two patients, and privacy bounds what one of them does: leave one of them out'
  }
  return unit === 'none' || factSpecs(sections).length === 0
    ? undefined
    : 'method.robust, method.units: what sites announce of their images carries no noise, and privacy would promise nothing: leave one ' +
      'of them out'
}

/** One sentence where a document lets sites announce facts. */
export function factsInWords (sections: Sections): string[] {
  const names = factSpecs(sections).map(({ name }) => name)
  return [
    ...(names.includes('loss') ? ['sites announce what the shared adapter lacks on their training images, one number a round'] : []),
    ...(names.includes('mass') ? ['sites announce what they count for in the average: their training images, up to maxMass'] : [])
  ]
}
