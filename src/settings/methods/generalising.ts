import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** As FedDG's authors have it, but for the window, of which their training takes 0, and the ratio, which it leaves at 1. */
export const EPISODE = {
  weight: 1, window: 1, ratio: 'uniform', innerRate: 1e-3, contrast: 0.1, temperature: 0.05, ring: 5 / 384, group: 5
} as const

/**
 * FedDA's own weight and rate are not to be had; these are what the field takes for adversarial segmentation (docs/spec/alignment.md).
 */
const ADVERSARIAL = { by: 'adversarial', weight: 1e-3, rate: 1e-4, warmupRounds: 3 } as const

/** Methods for scanners that look unlike each other, or like none that was trained on (docs/spec/views.md). */
export const GENERALISING = [
  {
    name: 'gin',
    title: 'LoRA averaged; training images pass through random networks (GIN)',
    paper: 'arXiv 2111.12525',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, augment: true, views: { kind: 'gin', share: 1 } }
    }
  },
  {
    name: 'cpss',
    title: 'LoRA averaged; patches of training images swap their styles (CPSS)',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, augment: true, swap: { patches: 2, probability: 0.3, donors: 4 } }
    }
  },
  {
    name: 'feddg',
    title: 'LoRA averaged; steps try images in the look of other sites (after FedDG)',
    paper: 'arXiv 2103.06030',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, augment: true, episode: EPISODE },
      method: { sharing: ['amplitude-bank'] }
    }
  },
  {
    name: 'fedda-joint',
    title: "LoRA averaged; features fool a site's discriminator (abstract of FedDA)",
    paper: 'arXiv 2509.23907',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, align: { ...ADVERSARIAL, target: 'joint' } }
    }
  },
  {
    name: 'fedda-cyclic',
    title: "LoRA averaged; features pass for those of each site's model (FedDA's abstract)",
    paper: 'arXiv 2509.23907',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, align: { ...ADVERSARIAL, target: 'cyclic' } },
      method: { sharing: ['core-adapter'] }
    }
  },
  {
    name: 'fedda-moments',
    title: "LoRA averaged; features pass for those of other sites' images (our FedDA)",
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, align: { ...ADVERSARIAL, target: 'moments' } },
      method: { sharing: ['moments'] }
    }
  },
  {
    name: 'fedda-mmd',
    title: "LoRA averaged; features stay near the average's by MMD (after FedHarmo)",
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND, align: { target: 'joint', by: 'mmd', weight: 1, warmupRounds: 3 } }
    }
  },
  {
    name: 'site-norms',
    title: 'LoRA averaged; every site keeps the norms of its layers (FedBN-like)',
    paper: 'arXiv 2102.07623',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND },
      method: { keeps: ['norms'] }
    }
  }
] as const satisfies readonly Preset[]
