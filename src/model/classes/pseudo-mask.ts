import { decodeLabels, EVERYTHING, UNKNOWN, type LabelMap } from '../../dataset/index.ts'

/** Of the pixels that a class marks, and of those that it leaves, this part is believed, the surest first, and all of this confidence. */
const BELIEVED = { part: 0.5, logit: Math.log(0.9 / 0.1) }
/** Of fewer pixels none is surer than the others. */
const LEAST_PIXELS = 2

/**
 * Labels of an image that nobody labelled, by what a model is sure of (docs/spec/views.md#sites-without-labels): codes of pixels at which
 * every class is believed, UNKNOWN elsewhere. `logits`: a map for each class. Undefined where no foreground is believed: labels that are
 * background alone would teach a model to mark nothing.
 */
export function pseudoMask (logits: readonly Float32Array[], labels: LabelMap = EVERYTHING): Uint8Array | undefined {
  const mask = decodeLabels(logits, labels)
  for (const map of logits) {
    const least = { marked: leastBelieved(map, true), left: leastBelieved(map, false) }
    map.forEach((logit, i) => {
      if (Math.abs(logit) < (logit > 0 ? least.marked : least.left)) mask[i] = UNKNOWN
    })
  }
  return mask.some((code) => code > 0 && code !== UNKNOWN) ? mask : undefined
}

/** How far from 0 logits on this side are believed: from their median on, or from less where that is sure already. */
function leastBelieved (map: Float32Array, isMarked: boolean): number {
  const sorted = map.filter((logit) => (logit > 0) === isMarked).map(Math.abs).sort()
  if (sorted.length < LEAST_PIXELS) return Infinity
  const surest = Math.ceil(BELIEVED.part * sorted.length)
  return Math.min(sorted[sorted.length - surest]!, BELIEVED.logit)
}
