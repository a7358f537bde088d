import { mean } from '../../common/mean.ts'
import type { LabelMap, Scored } from '../../dataset/index.ts'
import type { LabelFits } from '../../settings/labels.ts'
import type { Mode } from '../../settings/model.ts'
import { scoreImage, type ImageScore } from '../scores/overlap.ts'
import { classesIn } from './feeds.ts'
import { labelFitsOf } from './label-fits.ts'
import { classMeans, scoreClasses } from './scores.ts'

export type SampleScore = ImageScore & {
  readonly id: string
  /** By class, where the federation names classes; null for one that the image does not show. The figures above are their means. */
  readonly classes?: readonly (ImageScore | null)[]
}

/** Dice is the mean over images, and over classes where there are several. */
export interface Evaluation {
  readonly dice: number
  readonly perSample: SampleScore[]
  readonly classes?: Readonly<Record<string, number>>
  /** Only by the federation's model: what a site's own has learnt is as its masks are. */
  readonly labelFits?: LabelFits
}

/** Scores a mask per sample at its original size; codes where the federation names classes. */
export function evaluation (
  samples: readonly Scored[],
  masks: readonly Uint8Array[],
  { labels, mode }: { readonly labels: LabelMap | undefined, readonly mode: Mode }
): Evaluation {
  const partial = classesIn(samples, labels)
  if (partial == null) {
    const perSample = samples.map(({ id, truth, height, width }, i) => ({ id, ...scoreImage(masks[i]!, truth, height, width) }))
    return { dice: mean(perSample.map(({ dice }) => dice)), perSample }
  }
  const perSample = samples.map((sample, i) => ({ id: sample.id, ...scoreClasses(masks[i]!, sample, partial) }))
  const { dice, classes } = classMeans(perSample, partial)
  if (labels == null) return { dice, perSample }
  if (mode !== 'global') return { dice, classes, perSample }
  return { dice, classes, perSample, labelFits: labelFitsOf(samples.map(({ truth }, i) => ({ truth, predicted: masks[i]! })), labels) }
}
