import type { FactSpec } from '../gossip-aggregation/facts.ts'
import { clusterFacts } from '../gossip-aggregation/mixing/cluster-facts.ts'
import type { AveragingSettings } from './averaging.ts'
import { clustersIn, MOST_OF_VECTOR, type ClusterSettings, type MethodSettings } from './method.ts'
import type { ModelSettings } from './model.ts'
import type { PrivacySettings } from './privacy.ts'
import { learnsThreshold, type TrainSettings } from './training.ts'

export { MOST_CENTRES } from '../gossip-aggregation/mixing/cluster-facts.ts'

/** Sections of a document that decide about facts. */
export interface FactSections {
  readonly method?: MethodSettings | undefined
  readonly training: Pick<TrainSettings, 'dualTeacher'>
  readonly averaging: Pick<AveragingSettings, 'maxMass'> & Partial<Pick<AveragingSettings, 'secure' | 'weighting'>>
}

interface Around extends FactSections {
  readonly model: Pick<ModelSettings, 'moe' | 'lora' | 'decoder'>
  readonly training: Pick<TrainSettings, 'mixup' | 'align' | 'dualTeacher'>
  readonly privacy?: PrivacySettings | undefined
}

/** Nats, where privacy is promised. */
const PRIVATE_THRESHOLD = 0.15

/** What every site announces of itself beside its adapter (docs/spec/mixing.md#facts); nothing where the method asks none. */
export function factSpecs ({ method, training, averaging }: FactSections): readonly FactSpec[] {
  const { robust, generalisation, units } = method ?? {}
  const clusters = clustersIn(method)
  const mass = { name: 'mass', length: 1, least: 0, most: averaging.weighting === 'uniform' ? 1 : averaging.maxMass }
  return [
    ...(robust == null ? [] : [{ name: 'loss', length: 1, least: 0, most: 1 }]),
    ...(generalisation == null ? [] : [{ name: 'gap', length: 1, least: 0, most: 1 }]),
    ...(learnsThreshold(training) ? [{ name: 'threshold', length: 1, least: 0, most: Math.LN2 }] : []),
    ...((robust ?? generalisation ?? units) == null ? [] : [mass]),
    ...(selects(method) ? [{ name: SITE_VECTOR, length: method.siteContrast.size, least: -MOST_OF_VECTOR, most: MOST_OF_VECTOR }] : []),
    ...(clusters == null ? [] : clusterFacts(clusters))
  ]
}

/** The fact by which a site's vector is announced. */
export const SITE_VECTOR = 'siteVector'

type Selecting = MethodSettings & { readonly siteContrast: NonNullable<MethodSettings['siteContrast']> }

/** Sites select channels by vectors of their own. */
export function selects (method: MethodSettings | undefined): method is Selecting {
  return (method?.siteContrast?.weight ?? 0) > 0
}

/** What facts, and what is made of them, do not go together with; undefined where all fits. */
export function conflictInFacts (settings: Around): string | undefined {
  const { method, model } = settings
  const hasOwn = model.moe.blocks.length > 0 || method?.personal === 'copy'
  if (method?.robust?.excess === true && !hasOwn) {
    return 'method.robust.excess: a site without experts or a copy has no own model to count from: say false'
  }
  const parts = [
    conflictInUnits, conflictInRelations, conflictInGeneralisation, conflictInTeachers, conflictInSelection, conflictInMix,
    conflictInTurns, conflictInClusters, conflictWithPrivacy
  ]
  return parts.map((conflict) => conflict(settings)).find((each) => each != null)
}

function conflictInGeneralisation ({ method: { generalisation, robust, units, relations } = {} }: Around): string | undefined {
  if (generalisation == null) return undefined
  const other = robust != null ? 'robust' : units != null ? 'units' : relations != null ? 'relations' : undefined
  return other == null
    ? undefined
    : `method.generalisation: it says how much of its training a site lands, and so does method.${other}: leave one of them out`
}

function conflictInTeachers ({ method: { units, relations, elementMix } = {}, training }: Around): string | undefined {
  if (training.dualTeacher == null || (units ?? relations ?? elementMix) == null) return undefined
  const other = units != null ? 'units' : relations != null ? 'relations' : 'elementMix'
  return `training.dualTeacher: its teachers are of the shared adapter, and method.${other} trains another one: leave one of them out`
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

function conflictInSelection ({ method, training }: Around): string | undefined {
  if (!selects(method)) return undefined
  const { units, relations, personal } = method
  const copy = personal === 'copy' ? 'method.personal copy' : undefined
  const other = units != null ? 'method.units' : relations != null ? 'method.relations' : copy
  if (other != null) return `method.siteContrast: ${other} trains no vector beside the adapter: leave one of them out`
  return training.align == null
    ? undefined
    : 'method.siteContrast: training.align draws together the features whose channels it draws apart: leave one of them out'
}

function conflictInMix (settings: Around): string | undefined {
  const { elementMix, units, relations, sharing, generalisation } = settings.method ?? {}
  if (elementMix == null) return undefined
  if (settings.model.decoder === 'frozen' && elementMix.of.includes('decoder')) {
    return 'method.elementMix: with model.decoder frozen nothing of the decoder is averaged that could be mixed: take it out of "of"'
  }
  const other = units != null ? 'method.units is' : relations != null ? 'method.relations is' : whatStays(settings)
  if (other != null) return `method.elementMix: ${other} what stays at a site already: leave one of them out`
  if (sharing?.includes('core-adapter') === true) {
    return 'method.elementMix: a site trains from a mixture, which core-adapter would not show: leave one of them out'
  }
  if (generalisation != null) {
    return 'method.elementMix: a site trains from its mixture, and method.generalisation tells how far the average moves: leave one out'
  }
  return hasFactors(settings)
    ? undefined
    : 'method.elementMix: what travels is mixed as it is trained: say "aggregation": "factors" in model.lora'
}

function conflictInTurns ({ method, model: { decoder } }: Around): string | undefined {
  return method?.alternate != null && (decoder === 'lora' || decoder === 'frozen')
    ? `method.alternate: with model.decoder ${decoder} no mask tokens are trained that could take turns: leave one of them out`
    : undefined
}

function conflictInClusters ({ method, averaging: { secure } }: Around): string | undefined {
  const { clusters, units, relations } = method ?? {}
  if (clusters == null) return undefined
  if (units != null || relations != null) {
    const other = units == null ? 'method.relations' : 'method.units'
    return `method.clusters: what sites average apart is no average of all, from which ${other} counts: leave one of them out`
  }
  return secure?.mode === 'sealed'
    ? 'method.clusters: a sealed group would average sites of other clusters, too: leave method.clusters or averaging.secure out'
    : undefined
}

function whatStays ({ method, model }: Around): string | undefined {
  if (model.moe.blocks.length > 0) return 'experts are'
  return method?.personal === 'copy' ? 'method.personal copy is' : method?.keeps != null ? 'method.keeps is' : undefined
}

function hasFactors ({ model: { lora } }: Around): boolean {
  return (lora.aggregation ?? 'factors') === 'factors'
}

function conflictWithPrivacy ({ privacy: { unit } = { unit: 'none' }, ...sections }: Around): string | undefined {
  const { training } = sections
  if (unit === 'patient' && training.mixup != null) {
    return 'training.mixup: a mixed image is of two patients, and privacy bounds what one of them does: leave one of them out'
  }
  if (unit !== 'none' && learnsThreshold(training)) {
    return 'training.dualTeacher: a threshold by the images of a site is of all its patients at once, and is announced: say ' +
      `"threshold": ${PRIVATE_THRESHOLD} there`
  }
  return unit === 'none' || factSpecs(sections).length === 0
    ? undefined
    : `${announcing(sections)}: what sites announce of their images carries no noise, and privacy would promise nothing: leave it out`
}

function announcing ({ method = {} }: FactSections): string {
  const { robust, generalisation, units } = method
  const asked = { robust, generalisation, units, siteContrast: selects(method) ? method : undefined, clusters: clustersIn(method) }
  return Object.entries(asked).flatMap(([name, value]) => value == null ? [] : [`method.${name}`]).join(' and ')
}

/** One sentence where a document lets sites announce facts. */
export function factsInWords (sections: FactSections): string[] {
  const names = factSpecs(sections).map(({ name }) => name)
  return [
    ...(names.includes('loss') ? ['sites announce what the shared adapter lacks on their training images, one number a round'] : []),
    ...(names.includes('gap') ? ['sites announce how far training moved their answers on their images, one number a round'] : []),
    ...(names.includes('threshold') ? ['sites announce how unsure the surest answers on their labelled images are, one number'] : []),
    ...(names.includes('mass') ? ['sites announce what they count for in the average: their training images, up to maxMass'] : []),
    ...(names.includes(SITE_VECTOR)
      ? ['sites announce a vector of a few numbers each, which training on their images made: what is special about them']
      : []),
    ...(names.includes('centres') ? [clustersInWords(sections.method?.clusters)] : [])
  ]
}

function clustersInWords ({ minimum = 0, own = [] }: Partial<ClusterSettings> = {}): string {
  return `sites announce up to 4 clusters of their patients, each of at least ${minimum}: their middles, shares and likeness; by these ` +
    `those that are alike average ${own.join(' and ')} among themselves alone`
}
