import { squaredDistances } from './distance-transform.ts'

/** A mask as labels, row-major; every label > 0 is foreground. */
export type LabelMap = ArrayLike<number>

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

/** 1 for foreground with a 4-neighbour outside the mask or the picture. */
function border (mask: LabelMap, height: number, width: number): Uint8Array {
  const edge = new Uint8Array(height * width)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      if (!(mask[i]! > 0)) continue
      const inside = y > 0 && x > 0 && y < height - 1 && x < width - 1 && mask[i - width]! > 0 && mask[i + width]! > 0 &&
        mask[i - 1]! > 0 && mask[i + 1]! > 0
      if (!inside) edge[i] = 1
    }
  }
  return edge
}

/** From each pixel of one border to the nearest of the other. */
function distances (from: Uint8Array, to: Uint8Array, height: number, width: number): number[] {
  const squared = squaredDistances(to, height, width)
  return [...squared].flatMap((value, i) => from[i] === 1 ? [Math.sqrt(value)] : [])
}

/** Linear interpolation between the closest ranks. */
function percentile (values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const position = share * (sorted.length - 1)
  const low = Math.floor(position)
  return sorted[low]! + (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!) * (position - low)
}

/** 95th percentile of the distances between the two borders, both directions pooled, in pixels; 0 when both are empty, NaN when one is. */
export function hausdorff95 (prediction: LabelMap, truth: LabelMap, height: number, width: number): number {
  const [p, t] = [border(prediction, height, width), border(truth, height, width)]
  const [hasP, hasT] = [p.includes(1), t.includes(1)]
  if (!hasP || !hasT) return hasP === hasT ? 0 : NaN
  return percentile([...distances(p, t, height, width), ...distances(t, p, height, width)], 0.95)
}
