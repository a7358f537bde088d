import type { AveragingSettings } from './averaging.ts'
import type { MethodSettings } from './method.ts'
import type { PublicationKind } from './publication-kinds.ts'
import type { TrainSettings } from './training.ts'

/** Numbers that one publication of a kind may have, whatever a document says. */
export const MOST_NUMBERS: Readonly<Record<PublicationKind, number>> = { 'amplitude-bank': 4_096, 'core-adapter': 2 ** 22, moments: 4_096 }

/** Means of a site's groups of patients in its bank. */
export const BANK_ENTRIES = 4
export const BANK_CHANNELS = 3
const LEVELS = 256
/** Logarithms of amplitudes, from that of nothing that 8 bits of brightness tell from 0 to that of white. */
const [LEAST_LOG, MOST_LOG] = [Math.log(1 / 64), Math.log(256)]

/** Of a site's features: the means of so many channels, then their deviations; 0 for channels that a smaller base lacks. */
export const MOMENT_CHANNELS = 256
/** So many patients are in them, at least. */
export const MOMENT_PATIENTS = 5
const MOMENT_STEP = 1 / 64
const MOST_MOMENT = 32

/** What the numbers of a publication must be, as the document says; never as its sender does. */
export interface PublicationRule {
  /** `adapter`: as many as the adapter that is averaged has. */
  readonly count: number | 'adapter'
  readonly normBound: number
  /** All that a number may be, ascending; any finite one if not given. */
  readonly levels?: Float32Array
}

interface Sharing {
  readonly method?: MethodSettings | undefined
  readonly training: Pick<TrainSettings, 'episode' | 'align'>
  readonly averaging: Pick<AveragingSettings, 'normBound'>
}

/** The rule of each kind that a document lets leave; none of what could not be made. */
export function publicationRules (
  { method, training: { episode, align }, averaging: { normBound } }: Sharing
): ReadonlyMap<PublicationKind, PublicationRule> {
  const shared = method?.sharing ?? []
  const rules = new Map<PublicationKind, PublicationRule>()
  if (episode != null && shared.includes('amplitude-bank')) {
    const count = BANK_ENTRIES * BANK_CHANNELS * frequenciesIn(episode.window)
    rules.set('amplitude-bank', { count, normBound: MOST_LOG * Math.sqrt(count), levels: AMPLITUDE_LEVELS })
  }
  if (shared.includes('core-adapter')) rules.set('core-adapter', { count: 'adapter', normBound })
  if (align?.target === 'moments' && shared.includes('moments')) {
    const count = 2 * MOMENT_CHANNELS
    rules.set('moments', { count, normBound: MOST_MOMENT * Math.sqrt(count), levels: MOMENT_LEVELS })
  }
  return rules
}

/** Made anew whenever a site has trained; the others are made once. */
export function isMadeAnew (kind: PublicationKind): boolean {
  return kind === 'core-adapter'
}

/** Frequencies |u|, |v| ≤ window, one of each conjugate pair. */
export function frequenciesIn (window: number): number {
  return 2 * window ** 2 + 2 * window + 1
}

/** What an amplitude's logarithm may be in a bank. */
export const AMPLITUDE_LEVELS = Float32Array.from({ length: LEVELS }, (_, i) => LEAST_LOG + i / (LEVELS - 1) * (MOST_LOG - LEAST_LOG))

/** The nearest of the levels. */
export function toAmplitudeLevel (logarithm: number): number {
  const at = (logarithm - LEAST_LOG) / (MOST_LOG - LEAST_LOG) * (LEVELS - 1)
  return AMPLITUDE_LEVELS[Math.round(Math.min(LEVELS - 1, Math.max(0, at)))]!
}

/** What a mean or deviation of a feature may be: so coarse that nothing finer than what it is for can be read from it. */
const MOMENT_LEVELS = Float32Array.from({ length: 2 * MOST_MOMENT / MOMENT_STEP + 1 }, (_, i) => i * MOMENT_STEP - MOST_MOMENT)

/** The nearest of the levels. */
export function toMomentLevel (value: number): number {
  return Math.round(Math.min(MOST_MOMENT, Math.max(-MOST_MOMENT, value)) / MOMENT_STEP) * MOMENT_STEP
}

/** Who must agree before a publication leaves: the federation, by its document, and the site, by its policy.json. */
export interface Consents {
  readonly sharing?: readonly PublicationKind[] | undefined
  readonly publish?: readonly PublicationKind[] | undefined
}

export function bothConsent ({ sharing = [], publish = [] }: Consents, kind: PublicationKind): boolean {
  return sharing.includes(kind) && publish.includes(kind)
}

const SENTENCES: Readonly<Record<PublicationKind, string>> = {
  'amplitude-bank': 'sites may show each other amplitude-bank: typical brightness, contrast and shading of their images, as means over ' +
    'groups of patients; each does so only where its own policy.json says it, too',
  'core-adapter': 'sites may show each other core-adapter: what one site alone has made of the shared adapter, to every member and ' +
    'averaged with nobody\'s; each does so only where its own policy.json says it, too',
  moments: 'sites may show each other moments: mean and deviation of each feature that the untrained base model finds in their images, ' +
    `over all of ${MOMENT_PATIENTS} patients or more; each does so only where its own policy.json says it, too`
}

/** One sentence for each kind that a document lets leave. */
export function sharingInWords ({ method }: { readonly method?: MethodSettings | undefined }): string[] {
  return (method?.sharing ?? []).map((kind) => SENTENCES[kind])
}
