import { seededRandom, shuffled } from '../common/random.ts'
import { hasForeground } from './has-foreground.ts'
import type { Split } from './split.ts'
import type { Slice } from './types.ts'

export interface EmptyChoice {
  /** of all training slices, from 0 to below 1 */
  readonly share: number
  readonly seed: number
}

/** Of patients without any foreground, this part is for scoring alone. */
const SCORED_SHARE = 0.2

/**
 * Slices without foreground to train on beside those of a split: so many that they are `share` of all, where there are as many, taken in
 * turn from each subject. None is of a subject that is scored, nor nearer to what is scored of an only subject than training is.
 */
export function emptySlices (slices: readonly Slice[], { train, validation }: Split, { share, seed }: EmptyChoice): Slice[] {
  const random = seededRandom(seed)
  const [own, scored] = [subjectsOf(train), subjectsOf(validation)]
  const without = shuffled([...subjectsOf(slices)].filter((subject) => !own.has(subject) && !scored.has(subject)).sort(), random)
  const held = new Set(without.slice(0, Math.ceil(SCORED_SHARE * without.length)))
  const nearest = distance(train, validation)
  const isFree = (slice: Slice): boolean => !held.has(slice.subject) &&
    (!scored.has(slice.subject) || (own.has(slice.subject) && distance([slice], validation) >= nearest))
  const free = shuffled(slices.filter((slice) => !hasForeground(slice)).sort(inOrder).filter(isFree), random)
  const wanted = Math.round(share / (1 - share) * train.length)
  return inTurn([...Map.groupBy(free, ({ subject }) => subject).values()]).slice(0, wanted)
}

function subjectsOf (slices: readonly Slice[]): Set<string> {
  return new Set(slices.map(({ subject }) => subject))
}

/** The first of each, the second of each, … */
function inTurn<T> (groups: readonly (readonly T[])[]): T[] {
  const turns = Math.max(0, ...groups.map(({ length }) => length))
  return Array.from({ length: turns }, (_, turn) => groups.flatMap((each) => turn < each.length ? [each[turn]!] : [])).flat()
}

/** Slices between the two sets, at the least, of the same subject. */
function distance (some: readonly Slice[], others: readonly Slice[]): number {
  return Math.min(Infinity, ...some.flatMap(({ subject, index }) =>
    others.flatMap((other) => other.subject === subject ? [Math.abs(other.index - index)] : [])))
}

function inOrder (a: Slice, b: Slice): number {
  if (a.subject !== b.subject) return a.subject < b.subject ? -1 : 1
  return a.index - b.index || (a.id < b.id ? -1 : 1)
}
