import { pixels } from '../../../src/report/shots.ts'
import type { Picture } from './pictures.ts'
import type { HospitalReport } from './report.ts'

/** Smaller differences of Dice are not worth a word. */
const NOTICEABLE = 0.005
const FALL = 0.02

export type Outcome = 'gained' | 'lost' | 'same' | 'unknown'

/** Whether a hospital's own model is better than without the others; than before any training where it was not trained alone. */
export function outcomeOf ({ dice: { frozen, local, personal } }: Pick<HospitalReport, 'dice'>): Outcome {
  const before = local ?? frozen
  if (before == null || personal == null) return 'unknown'
  const gain = personal - before
  return gain > NOTICEABLE ? 'gained' : gain < -NOTICEABLE ? 'lost' : 'same'
}

/** What became of a hospital, in sentences for whoever does not know the method. */
export function describeOutcome (hospital: HospitalReport, picture?: Picture): string[] {
  const { dice: { frozen, local, personal }, validationImages } = hospital
  if (personal == null && validationImages === 0) return ['No image that it held back has a whole mask: it trained, and has no Dice.']
  if (personal == null) return ['It did not finish, and nothing is known of its model.']
  const images = validationImages == null ? 'images' : validationImages === 1 ? '1 image' : `${validationImages} images`
  return [
    `On ${images} that training never saw, its own model agrees with the radiologist's outline to a Dice of ${two(personal)}${
      frozen == null ? '' : `; before any training it was ${two(frozen)}`}.`,
    ...local == null ? [] : [joined(personal, local)],
    ...belowGlobal(hospital),
    ...fell(hospital),
    ...picture == null ? [] : [worst(picture)]
  ]
}

function joined (personal: number, local: number): string {
  const gain = personal - local
  if (Math.abs(gain) <= NOTICEABLE) return `Trained alone it has ${two(local)}: joining changed little.`
  return `Trained alone it has ${two(local)}: by joining it ${gain > 0 ? 'gained' : 'lost'} ${two(Math.abs(gain))}.`
}

function belowGlobal ({ dice: { global, personal } }: HospitalReport): string[] {
  if (global == null || personal == null || global - personal <= NOTICEABLE) return []
  return [`Its personalised model is worse than the shared one here (${two(personal)} against ${two(global)}): use the shared one.`]
}

function fell ({ history, dice: { personal } }: HospitalReport): string[] {
  const best = history.reduce<HospitalReport['history'][number] | undefined>(
    (most, each) => most == null || each.personal > most.personal ? each : most, undefined)
  if (best == null || personal == null || best.personal - personal <= FALL) return []
  return [`It fell: after round ${best.round} it had ${two(best.personal)}, and ends with ${two(personal)}.`]
}

function worst ({ worst: { scores: { personal: { dice, hd95 } } } }: Picture): string {
  const far = hd95 == null ? '' : `, with borders up to ${pixels(hd95)} apart (HD95)`
  return `Its worst image has a Dice of ${two(dice)}${far}.`
}

function two (value: number | null | undefined): string {
  return value == null || Number.isNaN(value) ? '–' : value.toFixed(2)
}
