import type { PseudoSettings } from '../pseudo.ts'
import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** Whatever somebody marked; images of which nothing is known are left out. */
const MARKED = ['mask', 'block', 'scribble', 'points', 'box'] as const

/** As FedICRA's authors have it, but for the tree's weight (docs/spec/weak.md#what-was-chosen). */
export const STRUCTURE = { tree: 0.01, sigma: 0.02, crf: 0.1, radius: 5, xy: 6, rgb: 0.1 } as const
export const CONTRAST = { size: 8, weight: 1 } as const
/** Where, how fast and for how long it is learnt is ours; the rest is the authors'. */
export const MIX = { of: ['decoder'], eta: 100, steps: STEPS_PER_ROUND, tolerance: 0.1, warmupRounds: 1 } as const
/** The authors' turns, which the preset leaves out (docs/spec/weak.md#what-was-chosen). */
export const TURNS = { head: 7, body: 3 } as const
/** As FedSemiDG's authors have it, but for the teachers' weight, which is 1 there (docs/spec/teachers.md#what-was-chosen). */
export const TEACHERS = {
  dualTeacher: { weight: 0.2, teachers: ['round-start', 'ema'], ema: 0.99, quantileStart: 0.15, quantileEnd: 0.3, thresholdEma: 0.9 },
  perturbedFeatures: { weight: 0.3, rate: 0.3 }
} as const satisfies Preset['settings']['training']
/**
 * As ISCOS's authors have it, but for the generator, `images` and the weight, which is 1 there. The preset has a tenth of the teacher's and
 * the uncertainty-aware loss's, too (docs/spec/weak.md#what-was-chosen).
 */
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
  weight: 0.1
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
      method: { siteContrast: CONTRAST, elementMix: { ...MIX, of: [...MIX.of] } }
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
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, batchSize: 4, supervision: [...MARKED, 'none'] },
      method: { pseudo: PSEUDO, teacher: { ema: 0.99, weight: 0.01 }, uncertaintyAware: 0.2 }
    }
  }
] as const satisfies readonly Preset[]
