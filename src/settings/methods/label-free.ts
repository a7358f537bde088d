import type { Pretraining } from '../pretraining.ts'
import { LABEL_KINDS, STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** Temperature and weight of alignment are FedCA's as it is remembered, the mean's share FedU's; rounds, rate and queue are ours. */
export const PRETRAINING: Pretraining = {
  rounds: 8, objective: 'byol', rate: 0.1, align: 0.01, ema: 0.99, temperature: 0.1, queue: 256, stay: 0
}

/** Of a federation of few rounds, this part of them is without labels where a preset does not know how many there are. */
const PART = 0.4

const LABELLED_LATER = {
  model: { moe: { blocks: [] } },
  training: { stepsPerRound: 2 * STEPS_PER_ROUND, augment: true, supervision: [...LABEL_KINDS] },
  averaging: { weighting: 'uniform' }
} satisfies Preset['settings']

/** Methods whose first rounds look at no label (docs/spec/label-free.md). */
export const LABEL_FREE = [
  {
    name: 'fedu',
    title: 'First rounds without labels: one look predicts another (our form of FedU)',
    paper: 'arXiv 2108.06492',
    settings: { ...LABELLED_LATER, method: { pretrain: PRETRAINING } }
  },
  {
    name: 'fedca',
    title: 'First rounds without labels: looks told from others (after FedCA\'s abstract)',
    paper: 'arXiv 2010.08982',
    settings: { ...LABELLED_LATER, method: { pretrain: { ...PRETRAINING, objective: 'contrast' } } }
  }
] as const satisfies readonly Preset[]

/** Of so many label-free rounds of a preset, those that a federation of `rounds` has. */
export function labelFreeRounds (asked: number, rounds: number): number {
  return Math.min(asked, Math.max(1, Math.floor(PART * rounds)), rounds - 1)
}

/** A preset's settings with no more label-free rounds than a federation of so many rounds has room for. */
export function withinRounds (settings: Preset['settings'], rounds: number): Preset['settings'] {
  const { method } = settings
  const asked = method?.pretrain?.rounds
  return asked == null
    ? settings
    : { ...settings, method: { ...method, pretrain: { ...method?.pretrain, rounds: labelFreeRounds(asked, rounds) } } }
}
