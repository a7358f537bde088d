import type { Slice } from '../../src/dataset/index.ts'
import { withLabelling, type Labelling } from '../../src/experiment/annotator.ts'
import type { SiteData } from '../../src/experiment/data-source.ts'
import { withNoise, type LabelNoise } from '../../src/experiment/label-noise.ts'
import { fitScored, fitSides, splitOf, type FittedSplit, type SplitSettings } from '../../src/site-model/split.ts'

interface LabelledSplit extends SplitSettings {
  /** All have masks if not given. */
  readonly labelling?: Labelling | undefined
  /** None if not given. */
  readonly noise?: LabelNoise | undefined
  /** Among the sites, from 0, and what it is called. */
  readonly site: number
  readonly name: string
}

/** The split of a site's slices, the same whatever labels are left to those that are trained on. */
export async function fitLabelled (
  slices: readonly Slice[],
  side: number,
  settings: LabelledSplit
): Promise<FittedSplit & Pick<SiteData, 'hidden'>> {
  const { labelling, noise, site, name, ...rest } = settings
  const split = splitOf(slices, rest)
  if (labelling == null && noise == null) return await fitSides(split, side, rest)
  const { seed } = rest
  const outlined = withNoise(split.train, noise, { site, name, seed })
  if (labelling == null) return await fitSides({ ...split, train: [...outlined] }, side, rest)
  const shown = await fitSides({ ...split, train: withLabelling(outlined, labelling, { site, seed }) }, side, rest)
  return { ...shown, hidden: new Map((await fitScored(split.train, side)).map((each) => [each.id, each])) }
}
