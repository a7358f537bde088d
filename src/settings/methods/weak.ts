import type { PseudoSettings } from '../pseudo.ts'
import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** Whatever somebody marked; images of which nothing is known are left out. */
const MARKED = ['mask', 'block', 'scribble', 'points', 'box'] as const

/** As ISCOS's authors have it, but for the generator and the weight, which are ours (docs/spec/weak.md#pseudo-masks). */
export const PSEUDO: PseudoSettings = {
  generator: 'global', prompts: ['box'], views: 3, iterations: 1, pool: 3, entropy: 0.9, absolute: 0.1, relative: 0.5, weight: 1
}

/** Methods for sites with few masks, or with scribbles, points, boxes and blocks alone (docs/spec/weak.md). */
export const WEAK = [
  {
    name: 'partial',
    title: 'LoRA averaged; trained on masks, blocks, scribbles, points or boxes',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, supervision: [...MARKED] }
    }
  },
  {
    name: 'iscos',
    title: 'LoRA averaged; pseudo-masks by prompts, mean teacher (after ISCOS, ungrouped)',
    paper: 'arXiv 2506.08955',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, supervision: [...MARKED, 'none'] },
      method: { pseudo: PSEUDO, teacher: { ema: 0.99, weight: 0.1 }, uncertaintyAware: 2 }
    }
  }
] as const satisfies readonly Preset[]
