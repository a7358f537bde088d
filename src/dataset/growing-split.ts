import { emptySubjects } from './empty-slices.ts'
import { hasForeground } from './has-foreground.ts'
import { classesShown, comparePlaces, inOrder, splitSlices, VALIDATION_SHARE, type Place, type Split } from './split.ts'
import { byDraw, drawOf } from './subject-draw.ts'
import type { Slice } from './types.ts'

/** Of an only subject, `first` to `last` is for validation, and what lies up to `before` and from `after` on for training. */
interface Slab {
  readonly first: Place
  readonly last: Place
  readonly before?: Place
  readonly after?: Place
}

export type Side = 'train' | 'validation' | Slab

/** What subjects were given once; nothing in it changes, it only grows. */
export type Sides = ReadonlyMap<string, Side>

export interface GrowOptions {
  readonly seed: number
  readonly known?: Sides
  /** Whether a first split is drawn as software before 0.2.0 drew it. */
  readonly asBefore?: boolean
  /** Whether subjects without any foreground get a side, too. */
  readonly withEmpty?: boolean
}

/**
 * The split of a site whose patients come and go: whoever has a side keeps it. Where nobody has, they are drawn as `splitSlices` draws
 * them; a newcomer's side follows from its name and the seed alone, but for a class that one side does not show yet, and a side that would
 * be empty. A subject of whom any slice has no whole mask is trained on;
 * where a site names whom it holds back, all others are.
 */
export function growSplit (slices: readonly Slice[], options: GrowOptions): Split & { readonly sides: Sides } {
  const known = options.known ?? new Map<string, Side>()
  const named = new Set(slices.flatMap(({ subject, held }) => held === true && known.get(subject) !== 'train' ? [subject] : []))
  if (named.size > 0) return asNamed(slices, named, known)
  const isWeak = new Set(slices.flatMap(({ subject, kind }) => kind == null ? [] : [subject]))
  if (isWeak.size === 0) return growWhole(slices, options)
  const { train, validation, sides } = growWhole(slices.filter(({ subject }) => !isWeak.has(subject)), options)
  // Who was once scored is never trained on, whatever came since.
  const [own, scored] = partition(inOrder(slices.filter((slice) => isWeak.has(slice.subject))), ({ subject }) =>
    (known.get(subject) ?? 'train') === 'train')
  const added = own.map(({ subject }): [string, Side] => [subject, 'train'])
  return {
    train: inOrder([...train, ...own.filter(hasForeground)]),
    validation: inOrder([...validation, ...apply(scored.filter((each) => each.kind == null && hasForeground(each)), known).validation]),
    sides: new Map([...known, ...sides, ...added])
  }
}

/** The subjects that the site names are scored, those of before go on being so, and all others are trained on. */
function asNamed (slices: readonly Slice[], named: ReadonlySet<string>, known: Sides): ReturnType<typeof growSplit> {
  const isScored = (subject: string): boolean => named.has(subject) || known.get(subject) === 'validation'
  const [scored, trained] = partition(inOrder(slices.filter(hasForeground)), ({ subject }) => isScored(subject))
  const sides = slices.map(({ subject }): [string, Side] => [subject, isScored(subject) ? 'validation' : 'train'])
  return { train: trained, validation: scored.filter(({ kind }) => kind == null), sides: new Map([...known, ...sides]) }
}

function partition<T> (all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))]
}

/** Of subjects all of whose slices have masks. */
function growWhole (slices: readonly Slice[], options: GrowOptions): Split & { readonly sides: Sides } {
  const { seed, asBefore = false, withEmpty = false } = options
  const shown = inOrder(slices.filter(hasForeground))
  const known = ofThese(options.known ?? new Map(), slices)
  const subjects = [...new Set(shown.map(({ subject }) => subject))]
  const newcomers = subjects.filter((subject) => !known.has(subject))
  const isFirst = newcomers.length === subjects.length
  const sides = new Map([...known, ...isFirst ? firstSides(shown, { seed, asBefore }) : joining(shown, newcomers, known, seed)])
  const split = apply(shown, sides)
  if (withEmpty) for (const [subject, side] of emptySubjects(slices, split, { seed, known, asBefore })) sides.set(subject, side)
  return { ...split, sides }
}

/** Without slabs whose ends are not among the slices of that name: those are of another subject, such as the only one of another site. */
function ofThese (known: Sides, slices: readonly Slice[]): Sides {
  const isOther = (subject: string, side: Side): boolean => {
    if (typeof side === 'string') return false
    const own = slices.filter((slice) => slice.subject === subject).map(({ id }) => id)
    return own.length > 0 && ![side.first, side.last, side.before, side.after].some((place) => place != null && own.includes(place[1]))
  }
  return new Map([...known].filter(([subject, side]) => !isOther(subject, side)))
}

function firstSides (shown: readonly Slice[], options: { readonly seed: number, readonly asBefore: boolean }): Map<string, Side> {
  const { train, validation } = splitSlices(shown, options)
  const trained = new Set(train.map(({ subject }) => subject))
  const isSlab = validation.length > 0 && trained.has(validation[0]!.subject)
  if (isSlab) return new Map([[validation[0]!.subject, slabOf(train, validation)]])
  // Too few slices of an only subject for two sides: more of them may come.
  if (validation.length === 0) return new Map()
  return new Map(shown.map(({ subject }) => [subject, trained.has(subject) ? 'train' : 'validation']))
}

function slabOf (train: readonly Slice[], validation: readonly Slice[]): Slab {
  const [first, last] = [placeOf(validation[0]!), placeOf(validation.at(-1)!)]
  const before = train.map(placeOf).filter((place) => comparePlaces(place, first) < 0).at(-1)
  const after = train.map(placeOf).find((place) => comparePlaces(place, last) > 0)
  return { first, last, ...before == null ? {} : { before }, ...after == null ? {} : { after } }
}

function placeOf ({ index, id }: Slice): Place {
  return [index, id]
}

/** The sides of newcomers, one after the other. */
function joining (shown: readonly Slice[], newcomers: readonly string[], known: Sides, seed: number): Map<string, Side> {
  const added = new Map<string, Side>()
  const now = (): Split => apply(shown.filter(({ subject }) => known.has(subject) || added.has(subject)), new Map([...known, ...added]))
  const order = byDraw(newcomers, seed)
  for (const subject of order) {
    const shows = [...classesShown(shown.filter((slice) => slice.subject === subject))]
    const [trained, scored] = [classesShown(now().train), classesShown(now().validation)]
    const drawn = drawOf(subject, seed) < VALIDATION_SHARE ? 'validation' : 'train'
    const missing = shows.some((each) => !trained.has(each)) ? 'train' : shows.some((each) => !scored.has(each)) ? 'validation' : undefined
    added.set(subject, missing ?? drawn)
  }
  if (now().validation.length === 0 && order.length > 0) added.set(order[0]!, 'validation')
  if (now().train.length === 0 && order.length > 1) added.set(order.at(-1)!, 'train')
  return added
}

function apply (shown: readonly Slice[], sides: Sides): Split {
  const on = (slice: Slice): 'train' | 'validation' | 'neither' => {
    const side = sides.get(slice.subject) ?? 'train'
    return typeof side === 'string' ? side : withinSlab(placeOf(slice), side)
  }
  return { train: shown.filter((slice) => on(slice) === 'train'), validation: shown.filter((slice) => on(slice) === 'validation') }
}

function withinSlab (place: Place, { first, last, before, after }: Slab): 'train' | 'validation' | 'neither' {
  if (comparePlaces(place, first) >= 0 && comparePlaces(place, last) <= 0) return 'validation'
  const isTrained = (before != null && comparePlaces(place, before) <= 0) || (after != null && comparePlaces(place, after) >= 0)
  return isTrained ? 'train' : 'neither'
}
