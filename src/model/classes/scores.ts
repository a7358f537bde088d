import { mean } from '../../common/mean.ts'
import { UNKNOWN, type LabelMap, type Scored } from '../../dataset/index.ts'
import { diceScore, hausdorff95, iouScore } from '../scores/overlap.ts'

/** One class in one image, over what is known of it. */
export interface ClassScore {
  readonly dice: number
  readonly iou: number
  /** Pixels of the original image; NaN where only one of mask and truth is empty. */
  readonly hd95: number
}

export interface ImageClassScores extends ClassScore {
  /** null for a class that the image does not show: like an image without foreground, it says nothing of overlap. */
  readonly classes: readonly (ClassScore | null)[]
}

/** Scores a mask of codes class by class; the image's own figures are means over the classes that it shows, NaN without any. */
export function scoreClasses (mask: Uint8Array, { truth, height, width, lacks = [] }: Scored, { members }: LabelMap): ImageClassScores {
  const classes = members.map((member, c) => {
    if (lacks.includes(c) || !truth.some((code) => code !== UNKNOWN && member[code] === 1)) return null
    const [found, real] = [mask, truth].map((codes) => codes.map((code, i) => truth[i] === UNKNOWN ? 0 : member[code]!))
    return { dice: diceScore(found!, real!), iou: iouScore(found!, real!), hd95: hausdorff95(found!, real!, height, width) }
  })
  const own = classes.filter((each) => each != null)
  return {
    dice: mean(own.map(({ dice }) => dice)),
    iou: mean(own.map(({ iou }) => iou)),
    hd95: mean(own.map(({ hd95 }) => hd95).filter(Number.isFinite)),
    classes
  }
}

/** Mean Dice over the images that show a class, by its name, for those that any image shows; and the mean over these classes. */
export function classMeans (
  images: readonly ImageClassScores[],
  { names }: LabelMap
): { readonly dice: number, readonly classes: Readonly<Record<string, number>> } {
  const classes = names.flatMap((name, c): [string, number][] => {
    const scores = images.flatMap((image) => image.classes[c] ?? [])
    return scores.length === 0 ? [] : [[name, mean(scores.map(({ dice }) => dice))]]
  })
  return { dice: mean(classes.map(([, dice]) => dice)), classes: Object.fromEntries(classes) }
}
