import type { PseudoSettings } from '../pseudo.ts'
import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** Whatever somebody marked; images of which nothing is known are left out. */
const MARKED = ['mask', 'block', 'scribble', 'points', 'box'] as const

/** As FedICRA's authors have it; cells are of the network's masks. */
export const STRUCTURE = { tree: 0.1, sigma: 0.02, crf: 0.1, radius: 5, xy: 6, rgb: 0.1 } as const
export const CONTRAST = { size: 8, weight: 1 } as const
/** The same of the authors; where it is learnt at all, and for how long, is ours. */
export const MIX = { of: ['decoder'], eta: 1, steps: STEPS_PER_ROUND, tolerance: 0.1, warmupRounds: 1 } as const
export const TURNS = { head: 7, body: 3 } as const
/** As FedSemiDG's authors have it. */
export const TEACHERS = {
  dualTeacher: { weight: 1, teachers: ['round-start', 'ema'], ema: 0.99, quantileStart: 0.15, quantileEnd: 0.3, thresholdEma: 0.9 },
  perturbedFeatures: { weight: 0.3, rate: 0.3 }
} as const satisfies Preset['settings']['training']
/** As ISCOS's authors have it, but for the generator, `images` and the weight, which are ours (docs/spec/weak.md#pseudo-masks). */
export const PSEUDO: PseudoSettings = {
  generator: 'global',
  prompts: ['box'],
  views: 3,
  iterations: 1,
  pool: 3,
  images: 128,
  entropy: 0.9,
  absolute: 0.1,
  relative: 0.5,
  weight: 1
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
    name: 'fedicra',
    title: 'Weak labels; sites select channels and mix a decoder (after FedICRA, ours)',
    paper: 'arXiv 2304.05635',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, supervision: [...MARKED], structure: STRUCTURE },
      method: { siteContrast: CONTRAST, elementMix: { ...MIX, of: [...MIX.of] }, alternate: TURNS }
    }
  },
  {
    name: 'fedsemidg',
    title: 'LoRA averaged; two teachers where nothing is marked (our form of FedSemiDG)',
    paper: 'arXiv 2501.07378',
    settings: {
      model: { moe: { blocks: [] } },
      training: {
        stepsPerRound: 2 * STEPS_PER_ROUND, batchSize: 4, augment: true, supervision: [...MARKED, 'none'], ...TEACHERS
      },
      averaging: { weighting: 'uniform' },
      method: { generalisation: { step: 0.05 } }
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
