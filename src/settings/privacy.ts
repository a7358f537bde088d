import { z } from 'zod'
import type { Labels } from './labels.ts'
import type { MethodSettings } from './method.ts'
import { count, oneOf, positive, setting } from './setting.ts'
import type { TrainSettings } from './training.ts'

/** Below it no ε is worth the name, and above it no model. */
const LEAST_NOISE = 0.1
export const MOST_NOISE = 1e6
const NOISE_ERROR = `must be auto, or a number from ${LEAST_NOISE} to ${MOST_NOISE}`
const MOST_SLICES = 1_000

/** Whose data differential privacy is about. */
export const PRIVACY_UNITS = ['site', 'patient'] as const
export type PrivacyUnit = typeof PRIVACY_UNITS[number]

/** What a member can learn of a site's data from all that the site sends, at most (docs/privacy.md). */
export const privacy = z.strictObject({
  unit: setting(
    oneOf(['none', ...PRIVACY_UNITS]),
    'Whose data differential privacy is about: all data of a site (noise on what each round lands), or one patient (noise in every step)'
  ),
  epsilon: setting(positive.max(1_000).optional(), 'What may be spent in all: smaller tells less', {
    otherwise: 'must be said with a unit'
  }),
  delta: setting(
    positive.max(0.01).optional(),
    'Probability with which more than epsilon may be told; below one in the number of patients or sites',
    { otherwise: 'must be said with a unit' }
  ),
  clip: setting(
    positive.max(1_000).optional(),
    "Longest that what is noised may be: the change of a round, or one patient's gradient in a step; longer ones are shortened to this",
    { otherwise: 'must be said with a unit' }
  ),
  noise: setting(
    z.union([z.literal('auto'), z.number().min(LEAST_NOISE).max(MOST_NOISE)], { error: NOISE_ERROR }).optional(),
    'Deviation of the noise on every number, times clip; auto: as little as epsilon and delta allow for all rounds',
    { otherwise: 'auto' }
  ),
  rate: setting(positive.max(1).optional(), "Probability with which a site's patient is part of a step; with unit patient alone", {
    otherwise: 'must be said with unit patient'
  }),
  slices: setting(count.max(MOST_SLICES).optional(), 'Most images of one patient in a step; with unit patient alone', { otherwise: '4' }),
  onExhausted: setting(
    z.enum(['stop-training', 'leave']).optional(),
    'When epsilon is spent: a site trains the shared adapter no more and does everything else, or it ends',
    { otherwise: 'stop-training' }
  )
})

export type PrivacySettings = Readonly<z.infer<typeof privacy>>

/** What privacy looks at beside its own section. */
interface Around {
  readonly privacy?: PrivacySettings | undefined
  readonly training: Pick<TrainSettings, 'stepsPerRound' | 'teacherG' | 'emptyShare'>
  readonly averaging: { readonly weighting: 'images' | 'uniform' }
  readonly method?: MethodSettings | undefined
  readonly labels?: Labels | undefined
}

/** What would make the promise void (docs/privacy.md#what-cannot-be-combined); undefined where all fits together. */
export function conflictInPrivacy (settings: Around): string | undefined {
  const { privacy: given } = settings
  if (given == null) return undefined
  if (given.unit === 'none') {
    const [, extra] = Object.keys(given).sort((a, b) => Number(b === 'unit') - Number(a === 'unit'))
    return extra == null ? undefined : `privacy: with unit none nothing is promised: leave ${extra} out, or say unit site or patient`
  }
  const missing = (['epsilon', 'delta', 'clip'] as const).find((key) => given[key] == null)
  if (missing != null) return `privacy: say ${missing} too ("consilium privacy plan" shows what it costs)`
  return conflictOfBoth(settings) ?? (given.unit === 'site' ? conflictOfSite(given) : conflictOfPatient(given, settings))
}

function conflictOfBoth ({ training, averaging }: Around): string | undefined {
  if (averaging.weighting !== 'uniform') {
    return 'privacy: say averaging.weighting uniform, since a mass by images tells every partner how many images a site has'
  }
  return training.stepsPerRound != null
    ? undefined
    : 'privacy: say training.stepsPerRound instead of epochs, whose steps tell how many images a site has'
}

function conflictOfSite (given: PrivacySettings): string | undefined {
  const extra = (['rate', 'slices'] as const).find((key) => given[key] != null)
  return extra == null ? undefined : `privacy.${extra} is for unit patient: leave it out`
}

function conflictOfPatient ({ rate }: PrivacySettings, { training, method, labels = [] }: Around): string | undefined {
  if (rate == null) return 'privacy: with unit patient say rate, the probability with which a patient is part of a step'
  const broken: readonly (readonly [boolean, string])[] = [
    [training.teacherG === 'personal', 'training.teacherG personal: private experts are trained without noise; say global or none'],
    [(training.emptyShare ?? 0) > 0, 'training.emptyShare: which empty images are taken depends on the other patients; say 0'],
    [method?.keeps != null, 'method.keeps: what stays at the site is trained without noise, and the rest with it; leave it out'],
    [method?.elementMix != null, 'method.elementMix: what a site takes is learnt without noise, and the rest with it; leave it out'],
    [method?.personal === 'copy', 'method.personal copy: which patients are held back depends on the other patients; say experts'],
    [labels.filter(({ name }) => name !== 'ignore').length > 1, 'labels: which of several classes count depends on all patients; train one']
  ]
  const found = broken.find(([isSo]) => isSo)
  return found == null ? undefined : `privacy.unit patient does not go with ${found[1]}`
}
