import { emptySlices, fitSlice, hasForeground, splitSlices, type Dataset, type Fitted, type Slice, type Split } from '../dataset/index.ts'

export type ScoredSample = Fitted & { readonly truth: Uint8Array }

export interface FittedSplit {
  readonly train: Fitted[]
  readonly validation: ScoredSample[]
  /** Training images by which the site chooses what it serves, and those on which it trains until it has. */
  readonly choice: { readonly train: Fitted[], readonly held: ScoredSample[] }
}

export interface SplitSettings {
  readonly seed: number
  /** Of slices without foreground in training; 0 if not given. */
  readonly emptyShare?: number | undefined
  /** What training images are trained for; the nearest labels if not given. */
  readonly targets?: 'nearest' | 'area' | undefined
}

/** The federation's split of a site's slices, resized to the model's input side. */
export async function fitSplit (dataset: Pick<Dataset, 'slices'>, side: number, settings: SplitSettings): Promise<FittedSplit> {
  const { train, validation, empty } = splitOf(dataset.slices, settings)
  const all = [...train, ...empty]
  const fits = await Promise.all(all.map(async (slice) => await fitSlice(slice, side, settings.targets)))
  const fitted = new Map(all.map((slice, i) => [slice, fits[i]!]))
  const inner = splitSlices(train, settings)
  return {
    train: fits,
    validation: await fitScored(validation, side),
    choice: {
      train: [...inner.train, ...empty].map((slice) => fitted.get(slice)!),
      held: inner.validation.map((slice) => scored(fitted.get(slice)!, slice))
    }
  }
}

/** `empty`: what is trained on beside `train`. */
export function splitOf (slices: readonly Slice[], { seed, emptyShare: share = 0 }: SplitSettings): Split & { readonly empty: Slice[] } {
  const split = splitSlices(slices.filter(hasForeground), { seed })
  return { ...split, empty: share === 0 ? [] : emptySlices(slices, split, { share, seed }) }
}

/** Their truth is that of the slice, which may keep it packed. */
export async function fitScored (slices: readonly Slice[], side: number): Promise<ScoredSample[]> {
  return await Promise.all(slices.map(async (slice) => scored(await fitSlice(slice, side), slice)))
}

function scored (fitted: Fitted, slice: Slice): ScoredSample {
  return { ...fitted, get truth () { return slice.mask } }
}
