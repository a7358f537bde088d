import { z } from 'zod'
import { MOST_NOISE, PRIVACY_UNITS } from '../settings/privacy.ts'
import { count, oneOf, setting } from '../settings/setting.ts'
import { training } from '../settings/training.ts'

/** Numbers of the adapter by model, in a federation that says nothing else. */
export const NUMBERS = { 'sam-tiny': 41_216, litemedsam: 117_248, 'vit-b': 254_464 } as const
const MOST_COUNT = 2 ** 31 - 1

/** What a promise is reckoned by before there is a federation. */
export const planned = z.strictObject({
  unit: setting(oneOf(PRIVACY_UNITS), "Whose data it is about: all of a site's, or one patient's", { default: 'site' }),
  rounds: training.shape.rounds,
  stepsPerRound: setting(count.max(1_000_000), 'Steps of phase G in a round; they count with unit patient', { default: 16 }),
  delta: setting(z.number().positive().max(0.01), 'Probability with which more than epsilon may be told', { default: 1e-5 }),
  epsilon: setting(z.number().positive().max(1_000).optional(), 'What may be spent in all: the noise that it takes is found', {
    otherwise: 'found from --noise'
  }),
  noise: setting(z.number().min(0.1).max(MOST_NOISE).optional(), 'Deviation of the noise, times clip: what it costs is found', {
    otherwise: 'found from --epsilon'
  }),
  clip: setting(z.number().positive().max(1_000), 'Longest that what is noised may be', { default: 1 }),
  rate: setting(z.number().positive().max(1), 'Probability with which a patient is part of a step; it counts with unit patient', {
    default: 0.1
  }),
  patients: setting(count.max(MOST_COUNT), 'Training patients of a site; they count with unit patient', { default: 20 }),
  sites: setting(count.max(MOST_COUNT), 'Sites that are averaged', { default: 4 }),
  numbers: setting(
    count.max(MOST_COUNT),
    `Numbers of the adapter: ${Object.entries(NUMBERS).map(([name, size]) => `${size} for ${name}`).join(', ')} where nothing else is said`,
    { default: NUMBERS['sam-tiny'] }
  )
})

export type Planned = z.infer<typeof planned>
