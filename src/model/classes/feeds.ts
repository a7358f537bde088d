import type { HostRecord } from '../../compute/index.ts'
import { EVERYTHING, isPartial, toClassTargets, toTargets, UNKNOWN, type Fitted, type LabelMap } from '../../dataset/index.ts'

/** Something in these images is not known, or not annotated. */
function isUnsure (samples: readonly Fitted[]): boolean {
  return samples.some(({ mask, lacks = [] }) => lacks.length > 0 || mask.includes(UNKNOWN)) || isWeak(samples)
}

/** What the classes of images are where only some of them may be known; undefined where all is known of the one that there is. */
export function classesIn (samples: readonly Fitted[], labels: LabelMap | undefined): LabelMap | undefined {
  return labels ?? (isUnsure(samples) ? EVERYTHING : undefined)
}

/** The same for training; images without foreground that it is meant to have say nothing of Dice either (supervised.ts). */
export function classesTrained (samples: readonly Fitted[], labels: LabelMap | undefined, emptyShare = 0): LabelMap | undefined {
  return classesIn(samples, labels) ?? (emptyShare > 0 ? EVERYTHING : undefined)
}

/** Something in these images is known otherwise than by a whole mask. */
function isWeak (samples: readonly Fitted[]): boolean {
  return samples.some(isPartial)
}

/** Of these kinds enough is known of an image to measure overlap: a stroke's cells are too few. */
function hasOverlap ({ kind }: Fitted): boolean {
  return !isPartial({ kind }) || kind === 'block'
}

/** `@overlap` [B,1]: 1 for images whose Dice counts in training; nothing where it does of all that a phase trains on. */
export function overlapFeeds (batch: readonly Fitted[], samples: readonly Fitted[]): HostRecord {
  if (!isWeak(samples)) return {}
  return { '@overlap': { shape: [batch.length, 1], data: Float32Array.from(batch, (each) => hasOverlap(each) ? 1 : 0) } }
}

/** `@targets` [B,C,L,L] of a batch; where there are classes (classesIn), `@known` beside it. */
export function targetFeeds (batch: readonly Fitted[], side: number, labels: LabelMap | undefined): HostRecord {
  if (labels == null) return { '@targets': { shape: [batch.length, 1, side, side], data: toTargets(batch, side) } }
  const shape = [batch.length, labels.names.length, side, side]
  const { targets, known } = toClassTargets(batch, side, labels)
  return { '@targets': { shape, data: targets }, '@known': { shape, data: known } }
}
