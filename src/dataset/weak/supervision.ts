import { growSplit } from '../growing-split.ts'
import { UNKNOWN } from '../labels/label-map.ts'
import type { LabelKind, Slice } from '../types.ts'

/** How much is known of a site's images: slices by the strongest that is known of them. */
export type Supervision = Readonly<Record<LabelKind, number>> & {
  /** Mean share of the pixels of slices with scribbles, blocks or points that is marked, 0..1. */
  readonly knownShare: number
  /** Subjects whose slices Dice is measured on: of those all of whose images have masks, about a fifth. */
  readonly validationSubjects: number
}

export function supervisionOf (slices: readonly Slice[]): Supervision {
  const counts: Record<LabelKind, number> = { mask: 0, block: 0, scribble: 0, points: 0, box: 0, none: 0 }
  for (const { kind = 'mask' } of slices) counts[kind]++
  const marked = slices.filter(({ kind }) => kind === 'block' || kind === 'scribble' || kind === 'points')
  const shares = marked.map(({ mask, marks }) =>
    (mask.reduce((sum, code) => sum + (code === UNKNOWN ? 0 : 1), 0) + (marks?.points.length ?? 0)) / mask.length)
  const held = growSplit(slices, { seed: 1 }).validation
  return {
    ...counts,
    knownShare: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
    validationSubjects: new Set(held.map(({ subject }) => subject)).size
  }
}

/** Nothing where all images have masks. */
export function describeSupervision (supervision: Supervision): string[] {
  const { mask, block, scribble, points, box, none, knownShare, validationSubjects } = supervision
  if (block + scribble + points + box + none === 0) return []
  const many = (number: number, one: string, several: string): string[] => number === 0 ? [] : [`${number} ${number === 1 ? one : several}`]
  const share = block + scribble + points === 0 ? '' : `; of slices with marks ${(100 * knownShare).toFixed(1)} % of the pixels are known`
  const kinds = [
    ...many(mask, 'whole mask', 'whole masks'),
    ...many(block, 'with blocks', 'with blocks'),
    ...many(scribble, 'with scribbles', 'with scribbles'),
    ...many(points, 'with points', 'with points'),
    ...many(box, 'with boxes', 'with boxes'),
    ...many(none, 'without any', 'without any')
  ]
  return [
    `slices by what is known of them: ${kinds.join(', ')}${share}`,
    validationSubjects === 0
      ? 'no subject has masks enough to hold any back: this site trains and reports no Dice'
      : `Dice is measured on ${validationSubjects} ${validationSubjects === 1 ? 'subject' : 'subjects'} with masks`
  ]
}
