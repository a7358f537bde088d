import { mean } from '../../common/mean.ts'
import { UNKNOWN, type LabelMap, type Scored } from '../../dataset/index.ts'
import { scoreImage, type ImageScore } from '../scores/overlap.ts'

export interface ImageClassScores extends ImageScore {
  /** null for a class that the image does not show: like an image without foreground, it says nothing of overlap. */
  readonly classes: readonly (ImageScore | null)[]
}

/** Scores a mask of codes class by class; the image's own figures are means over the classes that it shows, NaN without any. */
export function scoreClasses (
  mask: Uint8Array,
  { truth, height, width, lacks = [] }: Pick<Scored, 'truth' | 'height' | 'width' | 'lacks'>,
  { members }: LabelMap
): ImageClassScores {
  const classes = members.map((member, c) => {
    if (lacks.includes(c) || !truth.some((code) => code !== UNKNOWN && member[code] === 1)) return null
    return scoreImage(shownIn(mask, truth, member), shownIn(truth, truth, member), height, width)
  })
  const own = classes.filter((each) => each != null)
  return {
    dice: mean(own.map(({ dice }) => dice)),
    iou: mean(own.map(({ iou }) => iou)),
    hd95: mean(own.map(({ hd95 }) => hd95).filter(Number.isFinite)),
    classes
  }
}

/** Where a mask shows a class, of what is known of the truth: 1. */
export function shownIn (mask: Uint8Array, truth: Uint8Array, member: Uint8Array): Uint8Array {
  return mask.map((code, i) => truth[i] === UNKNOWN ? 0 : member[code]!)
}

/** Mean Dice over the images that show a class, by its name, for those that any image shows; and the mean over these classes. */
export function classMeans (
  images: readonly Partial<ImageClassScores>[],
  { names }: LabelMap
): { readonly dice: number, readonly classes: Readonly<Record<string, number>> } {
  const classes = names.flatMap((name, c): [string, number][] => {
    const scores = images.flatMap(({ classes: own }) => own?.[c] ?? [])
    return scores.length === 0 ? [] : [[name, mean(scores.map(({ dice }) => dice))]]
  })
  return { dice: mean(classes.map(([, dice]) => dice)), classes: Object.fromEntries(classes) }
}
