import { z } from 'zod'
import { averaging } from './averaging.ts'
import { conflictInLabels, labels } from './labels.ts'
import { method } from './method.ts'
import { conflictInModel, model } from './model.ts'
import { conflictInPrivacy, privacy } from './privacy.ts'
import { conflictInSecure } from './secure.ts'
import { conflictInTraining, training } from './training.ts'

/** What of a federation decides how its sites train and average: the sections of its document, in their order. */
export const sections = { model, training, averaging, method: method.optional(), labels, privacy: privacy.optional() }

/** What no single setting can say of itself; undefined where all fits together. */
export function conflictIn (settings: FederationSettings): string | undefined {
  const { training: trained, labels: given } = settings
  if (settings.method?.personal === 'copy' && settings.model.moe.blocks.length > 0) {
    return 'method.personal: a copy serves in place of experts: say "moe": { "blocks": [] } in model, or take a method with experts'
  }
  return conflictInTraining(trained) ?? conflictInModel(settings.model) ?? (given == null ? undefined : conflictInLabels(given)) ??
    conflictInPrivacy(settings) ?? conflictInSecure(settings.averaging)
}

export const federationSettings = z.strictObject(sections)

export type FederationSettings = Readonly<z.infer<typeof federationSettings>>
