import { LEAST_FACTOR, MOST_FACTOR } from '../../gossip-aggregation/landing.ts'
import type { ClusterSettings } from '../method.ts'
import { STEPS_PER_ROUND } from '../training.ts'
import type { Preset } from './preset.ts'

/** DRFLM's own is not known; the usual 0.2 costs Dice here (docs/spec/mixing.md#mixup). */
export const MIXUP = { alpha: 0.05 } as const
export const KL = { mu: 0.3, excess: true, least: LEAST_FACTOR, most: MOST_FACTOR } as const

/** Our own numbers: of FCA the abstract alone is known. */
const UNITS = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 3, contributes: 'all' } as const

/** As APPLE's authors have it, but for the rate: theirs, 1e-3, is for 800 epochs. They use cores of all sites. */
const RELATIONS = { rate: 0.02, pull: 0.1, fade: 'exponential', pulled: 0.1, peers: 8, by: 'model' } as const

/** Our own numbers where its authors' script has lines missing; what is a cluster's own is chosen in docs/spec/mixing.md#scope. */
const CLUSTERS: ClusterSettings = { count: 'auto', own: ['^image_encoder\\.'], neighbours: 3, projection: 16, minimum: 5 }

/** Methods by which sites learn more from some than from others (docs/spec/mixing.md). */
export const MIXING = [
  {
    name: 'drflm',
    title: 'pFedSAM, mixed images, sites served worst count more (after DRFLM)',
    paper: 'arXiv 2204.07742',
    settings: {
      training: { augment: true, mixup: MIXUP },
      method: { robust: KL }
    }
  },
  {
    name: 'fca',
    title: 'LoRA averaged; units that move unlike those of others stay (after FCA)',
    paper: 'arXiv 2504.18020',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND },
      method: { units: UNITS }
    }
  },
  {
    name: 'apple',
    title: "LoRA averaged; each site learns which mixture of all sites' own to serve (APPLE)",
    paper: 'arXiv 2110.08394',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND },
      method: { sharing: ['core-adapter'], relations: RELATIONS }
    }
  },
  {
    name: 'spp-fgc',
    title: 'LoRA averaged, that of the encoder by alike sites (abstract of SPP-FGC)',
    paper: 'arXiv 2511.10915',
    settings: {
      model: { moe: { blocks: [] } },
      training: { stepsPerRound: 2 * STEPS_PER_ROUND },
      method: { clusters: CLUSTERS }
    }
  }
] as const satisfies readonly Preset[]
