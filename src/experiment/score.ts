import { mean } from '../common/mean.ts'
import type { SampleScore } from '../model/classes/evaluation.ts'

/** Means over a site's validation images. */
export interface Score {
  readonly dice: number
  readonly iou: number
  /** Pixels, over the images where neither truth nor prediction is empty; null where there is none. */
  readonly hd95: number | null
  /** Images left out of hd95. */
  readonly missed: number
}

export function meanScore (samples: readonly SampleScore[]): Score {
  const distances = samples.map(({ hd95 }) => hd95).filter(Number.isFinite)
  return {
    dice: mean(samples.map(({ dice }) => dice)),
    iou: mean(samples.map(({ iou }) => iou)),
    hd95: distances.length === 0 ? null : mean(distances),
    missed: samples.length - distances.length
  }
}
