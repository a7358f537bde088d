import { LEAST_FACTOR, MOST_FACTOR } from '../../gossip-aggregation/landing.ts'
import type { Preset } from './preset.ts'

/** DRFLM's own is not known; this one is usual. */
export const MIXUP = { alpha: 0.2 } as const
export const KL = { mu: 0.3, excess: true, least: LEAST_FACTOR, most: MOST_FACTOR } as const

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
  }
] as const satisfies readonly Preset[]
