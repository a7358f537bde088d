import type { BackOff } from './back-off.ts'

/** How a site chooses whom to ask (docs/spec/gossip.md#partner-choice). */
export const PARTNER_RULES = ['random', 'exponential', 'farthest'] as const
export type PartnerRule = typeof PARTNER_RULES[number]

/** What a site knows when it chooses whom to ask. */
export interface View {
  /** Reachable sites that announce the same schema; the site itself among them does no harm if `self` is given. */
  readonly candidates: readonly string[]
  readonly backOff: Pick<BackOff, 'readyAt' | 'isSuspect'>
  /** Milliseconds on the clock that BackOff was told. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly self?: string
  /** Sorted ids of all sites known, reachable or not, with this one: sites that know the same pair up under `exponential`. */
  readonly ring?: readonly string[]
  /** The agreed step under `exponential`, from 0. */
  readonly step?: number
  /** Estimated distance of its vector from this site's, by sketches; undefined without one. */
  readonly distance?: (id: string) => number | undefined
}

/** Draws before all candidates are looked at: a choice among thousands must not cost thousands. */
const DRAWS = 8
/** Candidates whose sketches `farthest` compares. */
const COMPARED = 64

/** Turns that stand for one initiation: two that meet in an agreed step exchange once, so a site initiates in every other step. */
export function turnsPerInitiation (rule: PartnerRule): number {
  return rule === 'exponential' ? 2 : 1
}

/** Whom to ask by this rule; undefined while all are to be left alone. */
export function choosePartner (rule: PartnerRule, view: View): string | undefined {
  switch (rule) {
    case 'random': return randomPartner(view)
    case 'exponential': return exponentialPartner(view)
    case 'farthest': return farthestPartner(view)
  }
}

/**
 * A partner drawn uniformly among those that are not to be left alone yet; those clipped three times running only if nobody else is
 * there.
 */
export function randomPartner (view: View): string | undefined {
  return draw(view, (id) => isReady(view, id) && !view.backOff.isSuspect(id)) ?? draw(view, (id) => isReady(view, id))
}

/**
 * Hypercube: in step k the partner of site i of the ring is site i XOR 2^k; undefined where the ring has no such place, and after every
 * ⌈log2 n⌉ steps for one, which mixes at random what few edges join. Two sites with the same ring and step name each other.
 */
export function agreedPartner ({ self, ring, step }: Pick<View, 'self' | 'ring' | 'step'>): string | undefined {
  if (self == null || ring == null || step == null || ring.length < 2) return undefined
  const index = indexOf(ring, self)
  if (index == null) return undefined
  const bits = 32 - Math.clz32(ring.length - 1)
  const bit = step % (bits + 1)
  return bit === bits ? undefined : ring[index ^ 1 << bit]
}

/** The agreed partner, or a random one where that one is missing, to be left alone, or suspect (what the docs call named). */
function exponentialPartner (view: View): string | undefined {
  const agreed = agreedPartner(view)
  const isAble = agreed != null && isReady(view, agreed) && !view.backOff.isSuspect(agreed) &&
    (view.candidates === view.ring || view.candidates.includes(agreed))
  return isAble ? agreed : randomPartner(view)
}

/** The one whose vector is farthest by its sketch, among up to 64 drawn; random while nobody announced one. */
function farthestPartner (view: View): string | undefined {
  const { candidates, backOff, distance, random } = view
  const from = candidates.length <= COMPARED
    ? candidates
    : Array.from({ length: COMPARED }, () => candidates[Math.floor(random() * candidates.length)]!)
  let farthest: { readonly id: string, readonly distance: number } | undefined
  for (const id of from) {
    if (!isReady(view, id) || backOff.isSuspect(id)) continue
    const away = distance?.(id)
    if (away != null && away > (farthest?.distance ?? -1)) farthest = { id, distance: away }
  }
  return farthest?.id ?? randomPartner(view)
}

/** When the next candidate may be asked; undefined without candidates. */
export function nextReady ({ candidates, backOff, self }: Pick<View, 'candidates' | 'backOff' | 'self'>): number | undefined {
  let next: number | undefined
  for (const id of candidates) if (id !== self) next = Math.min(next ?? Infinity, backOff.readyAt(id))
  return next
}

function isReady ({ self, backOff, now }: View, id: string): boolean {
  return id !== self && backOff.readyAt(id) <= now
}

/** Uniform over the candidates that are able: by rejection while that is quick. */
function draw ({ candidates, random }: View, isAble: (id: string) => boolean): string | undefined {
  for (let i = 0; i < Math.min(DRAWS, candidates.length); i++) {
    const id = candidates[Math.floor(random() * candidates.length)]!
    if (isAble(id)) return id
  }
  const able = candidates.filter(isAble)
  return able[Math.floor(random() * able.length)]
}

function indexOf (sorted: readonly string[], id: string): number | undefined {
  let low = 0
  let high = sorted.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = sorted[middle]!
    if (found === id) return middle
    if (found < id) low = middle + 1
    else high = middle - 1
  }
  return undefined
}
