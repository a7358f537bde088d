import type { Pretraining } from '../pretraining.ts'
import { LABEL_KINDS, STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** Temperature and weight of alignment are FedCA's as it is remembered, the mean's share FedU's; rounds, rate and queue are ours. */
export const PRETRAINING: Pretraining = {
  rounds: 8, objective: 'byol', rate: 0.1, align: 0.01, ema: 0.99, temperature: 0.1, queue: 256, stay: 0
}

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
