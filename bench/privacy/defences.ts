import type { Overrides } from '../../src/federation/settings.ts'
import type { PrivacySettings } from '../../src/settings/privacy.ts'

/** What stands between a site's training and another member. */
export interface Defence {
  readonly name: string
  /** As the report says it. */
  readonly title: string
  readonly privacy?: PrivacySettings
  /** Members of a sealed group, the attacker among them: all that it sees is the mean of their changes. */
  readonly group?: number
}

const [SITE_DELTA, PATIENT_DELTA, CLIP] = [1e-5, 1e-3, 1]
const GROUPS = [3, 5]

/** From none to all; `rate` is that of the promise to patients. */
export function defences (epsilons: readonly number[], rate: number): Defence[] {
  return [
    { name: 'plain', title: 'plain exchanges' },
    ...GROUPS.map((group): Defence => ({ name: `sealed-${group}`, title: `sealed group of ${group}`, group })),
    ...epsilons.map((epsilon): Defence => ({
      name: `site-${epsilon}`,
      title: `DP of sites, ε ${epsilon}`,
      privacy: { unit: 'site', epsilon, delta: SITE_DELTA, clip: CLIP }
    })),
    ...epsilons.map((epsilon): Defence => ({
      name: `patient-${epsilon}`,
      title: `DP of patients, ε ${epsilon}`,
      privacy: { unit: 'patient', epsilon, delta: PATIENT_DELTA, clip: CLIP, rate }
    }))
  ]
}

/**
 * What a defended site trains by. Images are shown as they are, and nothing teaches beside their masks: what is learnt is of them alone,
 * which helps the attacker.
 */
export function settingsUnder ({ privacy }: Defence, stepsPerRound: number): Overrides {
  return {
    training: { augment: false, stepsPerRound, teacherG: 'none' },
    averaging: { weighting: 'uniform' },
    ...(privacy == null ? {} : { privacy })
  }
}

/**
 * What no attacker's advantage in telling one patient's membership can exceed: (e^ε − 1 + 2δ)/(e^ε + 1). With unit site one patient
 * more or less is two steps, from these data to none and on to the others: 2ε, and (1 + e^ε)·δ. 1 where nothing is promised.
 */
export function advantageBound (promise?: Pick<PrivacySettings, 'unit' | 'epsilon' | 'delta'>): number {
  const { unit = 'none', epsilon = Infinity, delta = 1 } = promise ?? {}
  if (unit === 'none') return 1
  const [odds, rest] = unit === 'site' ? [Math.exp(2 * epsilon), (1 + Math.exp(epsilon)) * delta] : [Math.exp(epsilon), delta]
  return Math.min(1, (odds - 1 + 2 * rest) / (odds + 1))
}
