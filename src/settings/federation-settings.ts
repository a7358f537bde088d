import { z } from 'zod'
import { averaging } from './averaging.ts'
import { conflictInLabels, labels } from './labels.ts'
import { method } from './method.ts'
import { conflictInModel, model } from './model.ts'
import { conflictInPrivacy, privacy } from './privacy.ts'
import { training } from './training.ts'

/** What of a federation decides how its sites train and average: the sections of its document, in their order. */
export const sections = { model, training, averaging, method: method.optional(), labels, privacy: privacy.optional() }

/** What no single setting can say of itself; undefined where all fits together. */
export function conflictIn (settings: FederationSettings): string | undefined {
  const { training: { stepsPerRound, epochsG, epochsL } } = settings
  if (stepsPerRound == null && (epochsG == null || epochsL == null)) return 'training: say stepsPerRound, or both epochsG and epochsL'
  if (stepsPerRound != null && (epochsG ?? epochsL) != null) return 'training: say stepsPerRound, or epochsG and epochsL, not both'
  if (settings.method?.personal === 'copy' && settings.model.moe.blocks.length > 0) {
    return 'method.personal: a copy serves in place of experts: say "moe": { "blocks": [] } in model, or take a method with experts'
  }
  return conflictInModel(settings.model) ?? conflictBeside(settings)
}

function conflictBeside (settings: FederationSettings): string | undefined {
  return (settings.labels == null ? undefined : conflictInLabels(settings.labels)) ?? conflictInPrivacy(settings)
}

export const federationSettings = z.strictObject(sections)

export type FederationSettings = Readonly<z.infer<typeof federationSettings>>
