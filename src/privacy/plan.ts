import { z } from 'zod'
import { UsageError } from '../errors.ts'
import { MOST_NOISE, PRIVACY_UNITS, privacy, type PrivacySettings } from '../settings/privacy.ts'
import { count, oneOf, setting } from '../settings/setting.ts'
import { training } from '../settings/training.ts'
import { allSteps, mechanismOf } from './mechanism.ts'
import { epsilonOf } from './spending.ts'

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
  rate: setting(z.number().positive().max(1), 'Probability with which a patient is part of a step; it counts with unit patient', { default: 0.1 }),
  patients: setting(count.max(MOST_COUNT), 'Training patients of a site; they count with unit patient', { default: 20 }),
  sites: setting(count.max(MOST_COUNT), 'Sites that are averaged', { default: 4 }),
  numbers: setting(
    count.max(MOST_COUNT),
    `Numbers of the adapter: ${Object.entries(NUMBERS).map(([name, size]) => `${size} for ${name}`).join(', ')} where nothing else is said`,
    { default: NUMBERS['sam-tiny'] }
  )
})

export type Planned = z.infer<typeof planned>

/** Whether noise leaves anything to be learnt: of the average it is shorter than what it hides, at most ten times as long, or longer. */
export type Verdict = 'promising' | 'doubtful' | 'hopeless'
const DOUBTFUL = 10

export interface Plan {
  readonly epsilon: number
  /** σ: the deviation of the noise on one number is this times the clip. */
  readonly noise: number
  /** Landings with unit site, optimiser steps with unit patient. */
  readonly steps: number
  /** Length of the noise of one of them, over the longest that it may hide: of one site, and averaged over all. */
  readonly noiseOverUpdate: number
  readonly noiseOverUpdateAveraged: number
  /** As many as make the averaged noise as long as what it hides, the rest being the same. */
  readonly needed: { readonly sites: number, readonly patients?: number }
  readonly verdict: Verdict
  /** For `federation create --settings`. */
  readonly settings: object
}

/** What a promise costs. @throws UsageError where not exactly one of epsilon and noise is given; InputError where no noise is enough */
export function planOf (given: Planned): Plan {
  const { unit, delta, clip, rate, rounds, stepsPerRound, epsilon: allowed, noise: stated } = given
  if ((allowed == null) === (stated == null)) throw new UsageError('say either --epsilon, and the noise is found, or --noise, and epsilon is')
  const own: PrivacySettings = {
    unit,
    epsilon: allowed ?? 1,
    delta,
    clip,
    noise: stated ?? 'auto',
    ...(unit === 'patient' ? { rate } : {})
  }
  const { noise, rate: used } = mechanismOf({ privacy: own, training: { rounds, stepsPerRound } })!
  const steps = allSteps(unit, { rounds, stepsPerRound })
  const epsilon = epsilonOf([{ unit, noise, rate: used, steps }], delta)
  return {
    epsilon,
    noise,
    steps,
    ...lengthsOf(given, noise),
    settings: {
      privacy: privacy.parse({ ...own, epsilon: allowed ?? Math.min(1_000, epsilon) }),
      averaging: { weighting: 'uniform' },
      training: { stepsPerRound, ...(unit === 'patient' ? { teacherG: 'global' } : {}) }
    }
  }
}

function lengthsOf (
  { unit, rate, patients, sites, numbers }: Planned,
  noise: number
): Pick<Plan, 'noiseOverUpdate' | 'noiseOverUpdateAveraged' | 'needed' | 'verdict'> {
  const ofOne = noise * Math.sqrt(numbers) / (unit === 'site' ? 1 : rate * patients)
  const averaged = ofOne / Math.sqrt(sites)
  return {
    noiseOverUpdate: ofOne,
    noiseOverUpdateAveraged: averaged,
    needed: { sites: Math.ceil(ofOne ** 2), ...(unit === 'patient' ? { patients: Math.ceil(averaged * patients) } : {}) },
    verdict: averaged <= 1 ? 'promising' : averaged <= DOUBTFUL ? 'doubtful' : 'hopeless'
  }
}
