import { z } from 'zod'
import { averaging } from './averaging.ts'
import { conflictInFacts } from './facts.ts'
import { conflictInLabels, labels } from './labels.ts'
import { method } from './method.ts'
import { conflictInModel, model } from './model.ts'
import { conflictInPrivacy, privacy } from './privacy.ts'
import { conflictInPretraining } from './pretraining-conflicts.ts'
import { conflictInPseudo } from './pseudo-conflicts.ts'
import type { PublicationKind } from './publication-kinds.ts'
import { publicationRules } from './publications.ts'
import { conflictInSecure, sealedOf } from './secure.ts'
import { conflictInTraining, training, type TrainSettings } from './training.ts'

type AlignTarget = NonNullable<TrainSettings['align']>['target']

/** What of a federation decides how its sites train and average: the sections of its document, in their order. */
export const sections = { model, training, averaging, method: method.optional(), labels, privacy: privacy.optional() }

/** What no single setting can say of itself; undefined where all fits together. */
export function conflictIn (settings: FederationSettings): string | undefined {
  const { training: trained, labels: given } = settings
  return conflictOfCopy(settings) ?? conflictInTraining(trained) ?? conflictInModel(settings.model) ??
    (given == null ? undefined : conflictInLabels(given)) ?? conflictInPrivacy(settings) ??
    conflictInSecure(settings.averaging) ?? conflictInSharing(settings) ?? conflictInAlignment(settings) ??
    conflictInFacts(settings) ?? conflictInPretraining(settings) ?? conflictInPseudo(settings)
}

function conflictOfCopy ({ method: own, model: { moe }, training: { supervision } }: FederationSettings): string | undefined {
  if (own?.personal !== 'copy') return undefined
  if (moe.blocks.length > 0) {
    return 'method.personal: a copy serves in place of experts: say "moe": { "blocks": [] } in model, or take a method with experts'
  }
  return supervision == null
    ? undefined
    : 'training.supervision: a site with a copy chooses by masks that it holds back, which a site with weak labels lacks: leave it out'
}

const READ_BY_TARGET: Readonly<Record<AlignTarget, PublicationKind | undefined>> = {
  joint: undefined, cyclic: 'core-adapter', moments: 'moments'
}

function conflictInAlignment (settings: FederationSettings): string | undefined {
  const { method: { personal, units, relations, sharing = [] } = {}, training: { align }, privacy: promised } = settings
  if (align == null) return undefined
  const read = READ_BY_TARGET[align.target]
  if (read != null && !sharing.includes(read)) {
    return `training.align.target: ${align.target} goes by what other sites show: say "sharing": ["${read}"] in method, or take joint`
  }
  if (personal === 'copy') return 'training.align: copies are trained as if they were alone: leave align or method.personal out'
  if (units != null) return 'training.align: its discriminator is no unit, and would learn nothing: leave align or method.units out'
  if (relations != null) return 'training.align: a mixture has no discriminator of its own: leave align or method.relations out'
  return promised?.unit === 'patient'
    ? 'training.align: its discriminator sees all patients at once, and privacy is of each: leave align out, or say unit site'
    : undefined
}

function conflictInSharing (settings: FederationSettings): string | undefined {
  const { method: { sharing = [] } = {}, privacy: promised } = settings
  if (sharing.includes('core-adapter') && sealedOf(settings.averaging) != null) {
    return 'method.sharing: core-adapter shows what one site trained by itself, which averaging.secure hides: leave one of them out'
  }
  const made = publicationRules(settings)
  const idle = sharing.find((kind) => !made.has(kind) || (kind === 'core-adapter' && !readsCores(settings)))
  if (idle != null) return `method.sharing: ${idle} is nothing that this training makes or reads: leave it out`
  return sharing.length === 0 || (promised?.unit ?? 'none') === 'none'
    ? undefined
    : 'method.sharing: what is shown carries no noise, and privacy would promise nothing: leave one of them out'
}

/** By alignment with each other's features, or by mixing. */
function readsCores ({ training: { align }, method: own }: FederationSettings): boolean {
  return align?.target === 'cyclic' || own?.relations != null
}

export const federationSettings = z.strictObject(sections)

export type FederationSettings = Readonly<z.infer<typeof federationSettings>>
