import {
  emptySlices, fitSlice, growSplit, splitSlices, type Dataset, type Fitted, type Sides, type Slice, type Split
} from '../dataset/index.ts'

export type ScoredSample = Fitted & { readonly truth: Uint8Array }

export interface FittedSplit {
  readonly train: Fitted[]
  readonly validation: ScoredSample[]
  /** Training images by which the site chooses what it serves, and those on which it trains until it has. */
  readonly choice: { readonly train: Fitted[], readonly held: ScoredSample[] }
  readonly sides: Sides
}

export interface SplitSettings {
  readonly seed: number
  /** Of slices without foreground in training; 0 if not given. */
  readonly emptyShare?: number | undefined
  /** What training images are trained for; the nearest labels if not given. */
  readonly targets?: 'nearest' | 'area' | undefined
  /** What the site's subjects were given before. */
  readonly known?: Sides
  /** Whether a first split is drawn as software before 0.2.0 drew it. */
  readonly asBefore?: boolean
}

/** The federation's split of a site's slices, resized to the model's input side. */
export async function fitSplit (dataset: Pick<Dataset, 'slices'>, side: number, settings: SplitSettings): Promise<FittedSplit> {
  return await fitSides(splitOf(dataset.slices, settings), side, settings)
}

/** A split as it is, resized. */
export async function fitSides (
  { train, validation, empty, sides }: ReturnType<typeof splitOf>,
  side: number,
  settings: SplitSettings
): Promise<FittedSplit> {
  const all = [...train, ...empty]
  const fits = await Promise.all(all.map(async (slice) => await fitSlice(slice, side, settings.targets)))
  const fitted = new Map(all.map((slice, i) => [slice, fits[i]!]))
  const [whole, weak] = [train.filter(({ kind }) => kind == null), train.filter(({ kind }) => kind != null)]
  const inner = splitSlices(whole, settings)
  return {
    train: fits,
    validation: await fitScored(validation, side),
    choice: {
      train: [...inner.train, ...weak, ...empty].map((slice) => fitted.get(slice)!),
      held: inner.validation.map((slice) => scored(fitted.get(slice)!, slice))
    },
    sides
  }
}

/** What is trained on, with corrected slices so many times. */
export function weighted (train: readonly Fitted[], weight: number): Fitted[] {
  return train.flatMap((each) => each.corrected === true ? Array.from({ length: weight }, () => each) : [each])
}

/** `empty`: what is trained on beside `train`. */
export function splitOf (slices: readonly Slice[], settings: SplitSettings): Split & { readonly empty: Slice[], readonly sides: Sides } {
  const { seed, emptyShare: share = 0, known = new Map(), asBefore = false } = settings
  const split = growSplit(slices, { seed, known, asBefore, withEmpty: share > 0 })
  if (share === 0) return { ...split, empty: [] }
  const held = new Set([...split.sides].filter(([, side]) => side === 'validation').map(([subject]) => subject))
  return { ...split, empty: emptySlices(slices, split, { share, seed, held }) }
}

/** Their truth is that of the slice, which may keep it packed. */
export async function fitScored (slices: readonly Slice[], side: number): Promise<ScoredSample[]> {
  return await Promise.all(slices.map(async (slice) => scored(await fitSlice(slice, side), slice)))
}

function scored (fitted: Fitted, slice: Slice): ScoredSample {
  return { ...fitted, get truth () { return slice.mask } }
}
