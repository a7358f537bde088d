import { seededRandom, shuffled } from '../common/random.ts'
import { amplitudesOf, planeOf, reaches, type Fitted } from '../dataset/index.ts'
import { BANK_CHANNELS, BANK_ENTRIES, toAmplitudeLevel } from '../settings/publications.ts'
import type { TrainSettings } from '../settings/training.ts'
import { byPatient } from './by-patient.ts'

/** Keeps a logarithm finite. */
const LEAST = 1e-6
/** Stream of the site's seed in which patients are drawn into groups. */
const GROUPS = 0x6261

interface Bank {
  readonly episode: NonNullable<TrainSettings['episode']>
  readonly siteSeed: number
}

/**
 * What a site shows of its images' look (docs/spec/publications.md#amplitude-bank): means of logarithms of amplitudes over groups of
 * patients, 8 bits each, of low frequencies alone. Where there are fewer groups than entries these repeat. Undefined for fewer patients
 * than one group has.
 */
export function amplitudeBank (samples: readonly Fitted[], { episode: { window, group }, siteSeed }: Bank): Float32Array | undefined {
  const patients = [...byPatient(samples.filter((each) => reaches(each, window))).values()]
  const count = Math.min(BANK_ENTRIES, Math.floor(patients.length / group))
  if (count === 0) return undefined
  const order = shuffled(patients, seededRandom(siteSeed, GROUPS))
  const groups = Array.from({ length: count }, (_, g) => order.filter((_images, i) => i % count === g))
  const entries = groups.map((each) => meanOf(each.map((images) => meanOf(images.map((image) => logarithms(image, window))))))
  return Float32Array.from(Array.from({ length: BANK_ENTRIES }, (_, i) => entries[i % count]!).flat().map(toAmplitudeLevel))
}

function logarithms (fitted: Fitted, window: number): number[] {
  return Array.from({ length: BANK_CHANNELS }, (_, c) => amplitudesOf(planeOf(fitted, Math.min(c, fitted.channels - 1)), window))
    .flat().map((amplitude) => Math.log(amplitude + LEAST))
}

function meanOf (rows: readonly (readonly number[])[]): number[] {
  return rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length)
}
