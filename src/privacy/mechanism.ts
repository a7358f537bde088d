import { InputError } from '../errors.ts'
import { MOST_NOISE, type PrivacySettings, type PrivacyUnit } from '../settings/privacy.ts'
import { smallest } from './solve.ts'
import { epsilonOf, type Spending } from './spending.ts'

/** A federation's promise with all that follows from it. */
export interface Mechanism {
  readonly unit: PrivacyUnit
  readonly epsilon: number
  readonly delta: number
  readonly clip: number
  /** Deviation of the noise over the clip. */
  readonly noise: number
  /** 1 with unit site. */
  readonly rate: number
  /** Of one patient in a step. */
  readonly slices: number
  readonly onExhausted: 'stop-training' | 'leave'
}

/** Of the training that is to be paid for. */
export interface Length {
  readonly rounds: number
  /** Of phase G, in one round; counts with unit patient. */
  readonly stepsPerRound?: number | undefined
}

/** Of a document that does not say it. */
const DEFAULT_SLICES = 4

/**
 * Undefined where nothing is promised. The settings have passed `conflictInPrivacy`. @throws InputError where no noise is enough for ε
 */
export function mechanismOf (
  { privacy, training }: { readonly privacy?: PrivacySettings | undefined, readonly training: Length }
): Mechanism | undefined {
  if (privacy == null || privacy.unit === 'none') return undefined
  const { unit, epsilon = 0, delta = 0, clip = 0, rate = 1, slices = DEFAULT_SLICES, noise = 'auto' } = privacy
  const all = { unit, rate, steps: allSteps(unit, training) }
  const chosen = noise === 'auto' ? noiseFor(all, { epsilon, delta }) : noise
  if (chosen > MOST_NOISE) {
    throw new InputError(
      `privacy: no noise keeps ${training.rounds} rounds within epsilon ${epsilon} at delta ${delta}: allow more of either`
    )
  }
  return {
    unit,
    epsilon,
    delta,
    clip,
    rate,
    slices,
    onExhausted: privacy.onExhausted ?? 'stop-training',
    noise: chosen
  }
}

/** Releases of a training: landings, or optimiser steps. */
export function allSteps (unit: PrivacyUnit, { rounds, stepsPerRound = 1 }: Length): number {
  return unit === 'site' ? rounds : rounds * stepsPerRound
}

/** The least noise with which all of it costs no more than ε; Infinity where there is none. */
function noiseFor (all: Omit<Spending, 'noise'>, { epsilon, delta }: { readonly epsilon: number, readonly delta: number }): number {
  return smallest((noise) => epsilonOf([{ ...all, noise }], delta) <= epsilon)
}
