import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** Whatever somebody marked; images of which nothing is known are left out. */
const MARKED = ['mask', 'block', 'scribble', 'points', 'box'] as const

/** Methods for sites with few masks, or with scribbles, points, boxes and blocks alone (docs/spec/weak.md). */
export const WEAK = [
  {
    name: 'partial',
    title: 'LoRA averaged; trained on masks, blocks, scribbles, points or boxes',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, supervision: [...MARKED] }
    }
  }
] as const satisfies readonly Preset[]
