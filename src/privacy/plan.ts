import { UsageError } from '../errors.ts'
import { privacy, type PrivacySettings } from '../settings/privacy.ts'
import { allSteps, mechanismOf } from './mechanism.ts'
import type { Planned } from './plan-settings.ts'
import { epsilonOf } from './spending.ts'

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
  if ((allowed == null) === (stated == null)) {
    throw new UsageError('say either --epsilon, and the noise is found, or --noise, and epsilon is')
  }
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
