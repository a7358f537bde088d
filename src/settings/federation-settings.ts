import { z } from 'zod'
import { averaging } from './averaging.ts'
import { method } from './method.ts'
import { model } from './model.ts'
import { training } from './training.ts'

/** What of a federation decides how its sites train and average: the sections of its document, in their order. */
export const sections = { model, training, averaging, method: method.optional() }

export const federationSettings = z.strictObject(sections)

export type FederationSettings = Readonly<z.infer<typeof federationSettings>>
