import { cropped, type LabelMap } from './block.ts'
import { borderDistances } from './border.ts'
import { percentile } from './percentile.ts'

function counts (prediction: LabelMap, truth: LabelMap): { both: number, predicted: number, true: number } {
  let both = 0
  let predicted = 0
  let real = 0
  for (let i = 0; i < truth.length; i++) {
    const p = prediction[i]! > 0
    const t = truth[i]! > 0
    if (p) predicted++
    if (t) real++
    if (p && t) both++
  }
  return { both, predicted, true: real }
}

/** 2·|P∩T| / (|P|+|T|); 1 when both are empty, 0 when one is. */
export function diceScore (prediction: LabelMap, truth: LabelMap): number {
  const { both, predicted, true: real } = counts(prediction, truth)
  return predicted + real === 0 ? 1 : 2 * both / (predicted + real)
}

/** |P∩T| / |P∪T|; 1 when both are empty, 0 when one is. */
export function iouScore (prediction: LabelMap, truth: LabelMap): number {
  const { both, predicted, true: real } = counts(prediction, truth)
  return predicted + real === 0 ? 1 : both / (predicted + real - both)
}

/** 95th percentile of the distances between the two borders, both directions pooled, in pixels; 0 when both are empty, NaN when one is. */
export function hausdorff95 (prediction: LabelMap, truth: LabelMap, height: number, width: number): number {
  const block = { shape: [height, width], truth: marked(truth), prediction: marked(prediction) }
  const distances = borderDistances(cropped(block), [1, 1])
  const [empty, other] = [distances.prediction.length === 0, distances.truth.length === 0]
  if (empty || other) return empty === other ? 0 : NaN
  return percentile([...distances.prediction, ...distances.truth], 0.95)
}

function marked (mask: LabelMap): Uint8Array {
  const out = new Uint8Array(mask.length)
  for (let i = 0; i < mask.length; i++) if (mask[i]! > 0) out[i] = 1
  return out
}

export interface ImageScore {
  readonly dice: number
  readonly iou: number
  /** pixels; NaN where only one of mask and truth is empty */
  readonly hd95: number
}

/** What one image scores by itself. */
export function scoreImage (prediction: LabelMap, truth: LabelMap, height: number, width: number): ImageScore {
  return {
    dice: diceScore(prediction, truth),
    iou: iouScore(prediction, truth),
    hd95: hausdorff95(prediction, truth, height, width)
  }
}
