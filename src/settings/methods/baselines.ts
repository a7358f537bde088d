import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** Without experts phase L is empty: its steps go to phase G, so that every method takes as many. */
const NO_EXPERTS = { moe: { blocks: [] } }
const ONLY_G = { stepsPerRound: 2 * STEPS_PER_ROUND }

/**
 * Rates of all parameters, and of bottlenecks with the whole decoder: the default, meant for few numbers, ruins training there
 * (docs/evidence.md#on-the-phantoms).
 */
const FULL_RATE = { lrLora: 3e-4, lrHeads: 3e-4 }
const DECODER_RATE = { lrLora: 3e-3, lrHeads: 3e-3 }

/**
 * Methods that pFedSAM is measured against (docs/spec/pfedsam.md#baselines), by gossip; exact averages of a server are in
 * src/experiment.
 */
export const BASELINES = [
  {
    name: 'fedavg-lora',
    title: 'FedAvg-LoRA: all that is trained is averaged',
    paper: 'arXiv 1602.05629',
    settings: { model: NO_EXPERTS, training: ONLY_G }
  },
  {
    name: 'fedper',
    title: 'FedPer-like: the decoder stays at every site',
    paper: 'arXiv 1912.00818',
    settings: { model: NO_EXPERTS, training: ONLY_G, method: { keeps: ['decoder'] } }
  },
  {
    name: 'fedsam',
    title: 'FedSAM: all parameters are trained and averaged',
    settings: { model: { ...NO_EXPERTS, encoder: 'full', decoder: 'full' }, training: { ...ONLY_G, ...FULL_RATE } }
  },
  {
    name: 'fedmsa',
    title: 'FedMSA-like: bottlenecks and the whole decoder are averaged',
    settings: { model: { ...NO_EXPERTS, encoder: 'bottleneck', decoder: 'full' }, training: { ...ONLY_G, ...DECODER_RATE } }
  }
] as const satisfies readonly Preset[]
