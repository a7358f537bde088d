import { fitSlice, splitSlices, type Dataset, type Fitted, type Slice } from '../dataset/index.ts'

export type ScoredSample = Fitted & { readonly truth: Uint8Array }

export interface FittedSplit {
  readonly train: Fitted[]
  readonly validation: ScoredSample[]
}

/** The federation's split of a site's slices, resized to the model's input side. */
export async function fitSplit (dataset: Dataset, side: number, seed: number): Promise<FittedSplit> {
  const { train, validation } = splitSlices(dataset.slices, { seed })
  return {
    train: await Promise.all(train.map(async (slice) => await fitSlice(slice, side))),
    validation: await fitScored(validation, side)
  }
}

/** Their truth is that of the slice, which may keep it packed. */
export async function fitScored (slices: readonly Slice[], side: number): Promise<ScoredSample[]> {
  return await Promise.all(slices.map(async (slice) => ({ ...await fitSlice(slice, side), get truth () { return slice.mask } })))
}
