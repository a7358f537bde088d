import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** pFedSAM (arXiv 2509.15638) and what is left of it without one of its parts (docs/spec/pfedsam.md#ablations). */
export const PFEDSAM = [
  { name: 'pfedsam', title: 'pFedSAM: LoRA averaged, experts at home, distillation both ways', paper: 'arXiv 2509.15638', settings: {} },
  {
    name: 'no-distillation',
    title: 'pFedSAM without distillation',
    settings: { training: { teacherG: 'none', teacherL: 'none' } }
  },
  {
    name: 'no-moe',
    title: 'pFedSAM without experts',
    settings: { model: { moe: { blocks: [] } }, training: { stepsPerRound: 2 * STEPS_PER_ROUND } }
  },
  { name: 'lambda-l-0', title: 'pFedSAM with λ_L = 0: experts without teacher', settings: { training: { lambdaL: 0 } } },
  { name: 'teacher-g-global', title: 'pFedSAM, phase G taught by the global model', settings: { training: { teacherG: 'global' } } },
  { name: 'teacher-g-none', title: 'pFedSAM, phase G without teacher', settings: { training: { teacherG: 'none' } } },
  {
    name: 'ffa',
    title: 'pFedSAM, of LoRA B alone travels',
    paper: 'arXiv 2403.12313',
    settings: { model: { lora: { aggregation: 'ffa' } } }
  },
  {
    name: 'product-svd',
    title: 'pFedSAM, the product of LoRA travels',
    settings: { model: { lora: { aggregation: 'product-svd' } } }
  },
  { name: 'mask-head', title: 'pFedSAM, the whole mask head is averaged', settings: { model: { decoder: 'lora+mask-head' } } },
  { name: 'talkative', title: 'pFedSAM, twice as many exchanges', settings: { averaging: { initiationsPerRound: 2 } } },
  { name: 'image-gate', title: 'pFedSAM, one gate per image', settings: { model: { moe: { gate: 'image' } } } },
  { name: 'experts-first', title: 'pFedSAM, experts fitted before the exchange', settings: { training: { order: 'GL-local' } } },
  { name: 'features', title: 'pFedSAM, distillation by features', settings: { training: { distil: 'features' } } },
  { name: 'lora-decoder', title: 'pFedSAM, decoder of LoRA alone', settings: { model: { decoder: 'lora' } } }
] as const satisfies readonly Preset[]
