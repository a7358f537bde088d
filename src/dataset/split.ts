import { type Random, seededRandom, shuffled } from '../common/random.ts'
import { byDraw } from './subject-draw.ts'
import type { Slice } from './types.ts'

export interface SplitOptions {
  readonly seed: number
  /** share of the slices, 0..1; default 0.2 */
  readonly validationShare?: number
  /** Whether subjects are drawn as software before 0.2.0 drew them: together, so that each newcomer changed the draw of all. */
  readonly asBefore?: boolean
}

/** Share of validation where none is given. */
export const VALIDATION_SHARE = 0.2

export interface Split {
  readonly train: Slice[]
  readonly validation: Slice[]
}

/** Slices between training and validation of one subject that go to neither. */
const GAP_SHARE = 0.06
const MIN_GAP = 2

/**
 * Training and validation slices, the same for the same slices and seed whatever their order.
 *
 * With two or more subjects whole subjects go to validation, since slices of one patient resemble each other far more than those
 * of two. With one subject a contiguous slab goes to validation and a gap of at least two slices (or 6 % of the stack) on each of
 * its sides to neither: neighbouring slices are nearly copies, so a random split would score what was trained. Such a figure still
 * says nothing about other patients. Where a federation names several classes, as many of them as can be are on both sides.
 */
export function splitSlices (slices: readonly Slice[], options: SplitOptions): Split {
  const { seed, validationShare = VALIDATION_SHARE, asBefore = false } = options
  const sorted = inOrder(slices)
  const subjects = [...new Set(sorted.map((slice) => slice.subject))]
  const random = seededRandom(seed)
  if (subjects.length < 2) return bySlab(sorted, random, validationShare)
  return bySubject(sorted, asBefore ? shuffled(subjects, random) : lastFirst(byDraw(subjects, seed)), validationShare)
}

/** By subject, place and name. */
export function inOrder (slices: readonly Slice[]): Slice[] {
  return [...slices].sort((a, b) => compare(a.subject, b.subject) || comparePlaces([a.index, a.id], [b.index, b.id]))
}

/** Where a slice stands among those of its subject. */
export type Place = readonly [index: number, id: string]

/** Below 0 where `a` stands before `b`. */
export function comparePlaces (a: Place, b: Place): number {
  return a[0] - b[0] || compare(a[1], b[1])
}

/** The one that is never held out comes first. */
function lastFirst (subjects: readonly string[]): string[] {
  return [...subjects.slice(-1), ...subjects.slice(0, -1)]
}

/** Subjects go to validation until it has its share; at least one does, and at least one stays. */
function bySubject (slices: readonly Slice[], subjects: readonly string[], share: number): Split {
  const held = new Set<string>()
  const count = (): number => slices.filter((slice) => held.has(slice.subject)).length
  for (const subject of subjects.slice(1)) {
    if (held.size > 0 && count() >= share * slices.length) break
    held.add(subject)
  }
  for (const c of classesShown(slices)) {
    const showing = subjects.filter((subject) => slices.some((slice) => slice.subject === subject && slice.shows?.includes(c) === true))
    const heldOut = showing.filter((subject) => held.has(subject)).length
    // The only subject that shows it is for training.
    if (heldOut === showing.length && held.size > 1) held.delete(showing[0]!)
    if (heldOut === 0 && showing.length > 1) held.add(showing[1]!)
  }
  return { train: slices.filter((slice) => !held.has(slice.subject)), validation: slices.filter((slice) => held.has(slice.subject)) }
}

export function classesShown (slices: readonly Slice[]): Set<number> {
  return new Set(slices.flatMap(({ shows = [] }) => shows))
}

/**
 * The slab lies anywhere but the outer eighths of the stack, where organs begin and end; too small a stack keeps it at one end, or has
 * none.
 */
function bySlab (slices: readonly Slice[], random: Random, share: number): Split {
  const count = slices.length
  const size = Math.max(1, Math.round(share * count))
  const gap = Math.max(MIN_GAP, Math.ceil(GAP_SHARE * count))
  const margin = Math.max(gap + 1, Math.round(count / 8))
  const free = count - size - 2 * margin
  const position = random()
  if (free >= 0) {
    const starts = richest(Array.from({ length: free + 1 }, (_, i) => margin + i), (start) => {
      const { train, validation } = cutOut(slices, start, size, gap)
      return classesShown(validation).size + classesShown(train).size
    })
    return cutOut(slices, starts[Math.floor(position * starts.length)]!, size, gap)
  }
  if (count > size + gap) return cutOut(slices, position < 0.5 ? 0 : count - size, size, gap)
  return { train: [...slices], validation: [] }
}

/** Those of most worth. */
function richest (starts: readonly number[], worth: (start: number) => number): number[] {
  const worths = starts.map(worth)
  const most = Math.max(...worths)
  return starts.filter((_, i) => worths[i] === most)
}

function cutOut (slices: readonly Slice[], start: number, size: number, gap: number): Split {
  return {
    train: [...slices.slice(0, Math.max(0, start - gap)), ...slices.slice(start + size + gap)],
    validation: slices.slice(start, start + size)
  }
}

/** By code unit: the order must not depend on the language of the machine. */
function compare (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
