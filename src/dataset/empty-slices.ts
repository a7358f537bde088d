import { seededRandom, shuffled } from '../common/random.ts'
import { VALIDATION_SHARE } from './split.ts'
import { byDraw, drawOf } from './subject-draw.ts'
import { hasForeground } from './has-foreground.ts'
import type { Split } from './split.ts'
import type { Slice } from './types.ts'

export interface EmptyChoice {
  /** of all training slices, from 0 to below 1 */
  readonly share: number
  readonly seed: number
  /** Subjects without any foreground that are for scoring alone; those of a first split if not given. */
  readonly held?: ReadonlySet<string>
}

/** What is known of the sides of subjects, and how those of a first split are drawn. */
interface Drawn extends Pick<EmptyChoice, 'seed'> {
  readonly known?: ReadonlyMap<string, unknown>
  readonly asBefore?: boolean
}

/** The sides of subjects without any foreground that have none yet; of the first ones, a fifth is for scoring alone. */
export function emptySubjects (slices: readonly Slice[], split: Split, { seed, known = new Map(), asBefore = false }: Drawn): SidesOfEmpty {
  const without = withoutForeground(slices, split)
  const newcomers = without.filter((subject) => !known.has(subject))
  if (newcomers.length < without.length) {
    return new Map(newcomers.map((subject) => [subject, drawOf(subject, seed) < VALIDATION_SHARE ? 'validation' : 'train']))
  }
  const drawn = asBefore ? shuffled(without, seededRandom(seed)) : byDraw(without, seed)
  const held = new Set(drawn.slice(0, Math.ceil(VALIDATION_SHARE * drawn.length)))
  return new Map(without.map((subject) => [subject, held.has(subject) ? 'validation' : 'train']))
}

type SidesOfEmpty = Map<string, 'train' | 'validation'>

function withoutForeground (slices: readonly Slice[], { train, validation }: Split): string[] {
  const [own, scored] = [subjectsOf(train), subjectsOf(validation)]
  return [...subjectsOf(slices)].filter((subject) => !own.has(subject) && !scored.has(subject)).sort()
}

/**
 * Slices without foreground to train on beside those of a split: so many that they are `share` of all, where there are as many, taken in
 * turn from each subject. None is of a subject that is scored, nor nearer to what is scored of an only subject than training is.
 */
export function emptySlices (slices: readonly Slice[], split: Split, choice: EmptyChoice): Slice[] {
  const { share, seed, held = heldOf(slices, split, seed) } = choice
  const random = seededRandom(seed, 1)
  const { train, validation } = split
  const [own, scored] = [subjectsOf(train), subjectsOf(validation)]
  const nearest = distance(train, validation)
  const isFree = (slice: Slice): boolean => !held.has(slice.subject) &&
    (!scored.has(slice.subject) || (own.has(slice.subject) && distance([slice], validation) >= nearest))
  const free = shuffled(slices.filter((slice) => !hasForeground(slice)).sort(inOrder).filter(isFree), random)
  const wanted = Math.round(share / (1 - share) * train.length)
  return inTurn([...Map.groupBy(free, ({ subject }) => subject).values()]).slice(0, wanted)
}

function heldOf (slices: readonly Slice[], split: Split, seed: number): Set<string> {
  return new Set([...emptySubjects(slices, split, { seed })].filter(([, side]) => side === 'validation').map(([subject]) => subject))
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
