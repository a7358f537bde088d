import { mean } from '../../src/common/mean.ts'
import { kindAt, KINDS_IN_TURN, type Labelling, type MarkKind } from '../../src/experiment/annotator.ts'
import type { RunRecord } from '../../src/experiment/run-job.ts'

/** The row that learns from what is marked, and from nothing else. */
export const MARKED = 'partial'

/** Of sites that mark by one kind, the mean Dice of each seed. */
export interface KindDice { readonly kind: MarkKind, readonly bySeed: readonly number[] }

/** By kind of marks, in their order; none where sites mark alike, and none of a site left out. */
export function kindDice (runs: readonly Pick<RunRecord, 'sites'>[], labelling: Labelling | undefined): KindDice[] {
  return KINDS_IN_TURN.flatMap((kind) => {
    const bySeed = runs.flatMap(({ sites }) => {
      const own = sites.filter((_, site) => kindAt(labelling, site) === kind)
      return own.length === 0 ? [] : [mean(own.map(({ dice }) => dice))]
    })
    return bySeed.length === 0 ? [] : [{ kind, bySeed }]
  })
}

/** As reports have a data set: with what its training images have of labels, where that is not masks of all. */
export function conditionName ({ data, labelling }: { readonly data: string, readonly labelling?: Labelling | undefined }): string {
  return labelling == null ? data : `${data} (${labelling})`
}

export function labellingInWords (labelling: Labelling): string {
  return labelling === 'mixed-weak'
    ? 'no training image has a mask: site after site has scribbles, points, boxes and blocks, drawn by a simulated annotator'
    : `${percent(labelling)} % of each site's training patients have masks, the others nothing: simulated`
}

function percent (labelling: Labelling): string {
  return (100 * Number(labelling.slice('few:'.length))).toFixed(0)
}
