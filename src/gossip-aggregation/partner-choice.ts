import type { BackOff } from './back-off.ts'

/** How a site chooses whom to ask (docs/spec/gossip.md#partner-choice). */
export const PARTNER_RULES = ['random', 'exponential', 'farthest'] as const
export type PartnerRule = typeof PARTNER_RULES[number]

/** What a site knows when it chooses whom to ask. */
export interface View {
  /** Reachable sites that announce the same schema; the site itself among them does no harm if `self` is given. */
  readonly candidates: readonly string[]
  readonly backOff: Pick<BackOff, 'readyAt' | 'isSuspect' | 'isFailing' | 'metAt'>
  /** Milliseconds on the clock that BackOff was told. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly self?: string
  /** Whom it exchanged with last, neither having changed since as far as it knows: not worth asking while another is there. */
  readonly even?: string | undefined
  /** Sorted ids of all sites known, reachable or not, with this one: sites that know the same pair up under `exponential`. */
  readonly ring?: readonly string[]
  /** The agreed step under `exponential`, from 0; without one sites keep no step, and look for whom they have not met for long. */
  readonly step?: number
  /** The order of steps counts: an agreed partner that is busy for a moment is waited for. */
  readonly isPatient?: boolean
  /** Estimated distance of its vector from this site's, by sketches; undefined without one. */
  readonly distance?: (id: string) => number | undefined
  /** How readily this site asks it, above 0 to 1; all alike without. */
  readonly weight?: (id: string) => number
}

/** Draws before all candidates are looked at: a choice among thousands must not cost thousands. */
const DRAWS = 8
/** Candidates whose sketches `farthest` compares. */
const COMPARED = 64
/** Whoever is busy for longer, or does not answer, is not waited for. */
const PATIENCE_MS = 1_000

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
 * A partner drawn, uniformly or by weight, among those that are not to be left alone yet and worth asking; those clipped three times
 * running only if nobody else is there.
 */
export function randomPartner (view: View): string | undefined {
  const { candidates, backOff, even } = view
  const fresh = draw(view, (id) => isWorthAsking(view, id))
  if (fresh != null) return fresh
  const isBusy = (id: string): boolean => id !== even && id !== view.self && isReadySoon(view, id) && !backOff.isSuspect(id)
  if (even != null && candidates.some(isBusy)) return undefined
  return draw(view, (id) => isReady(view, id) && !backOff.isSuspect(id)) ?? draw(view, (id) => isReady(view, id))
}

/** Agreed steps after which, among so many sites, each has heard of all others. */
export function agreedSteps (sites: number): number {
  return sites < 2 ? 0 : 32 - Math.clz32(sites - 1)
}

/**
 * Hypercube: in step k the partner of site i of the ring is site i XOR 2^k; undefined where the ring has no such place, and after every
 * ⌈log2 n⌉ steps for one, which mixes at random what few edges join. Two sites with the same ring and step name each other.
 */
export function agreedPartner ({ self, ring, step }: Pick<View, 'self' | 'ring' | 'step'>): string | undefined {
  if (self == null || ring == null || step == null || ring.length < 2) return undefined
  const index = indexOf(ring, self)
  if (index == null) return undefined
  const bits = agreedSteps(ring.length)
  const bit = step % (bits + 1)
  return bit === bits ? undefined : ring[index ^ 1 << bit]
}

/**
 * The agreed partner, or a random one where that one is missing, to be left alone, or suspect (what the docs call named). Sites that keep
 * no step take a random one of the half that they met longest ago.
 */
function exponentialPartner (view: View): string | undefined {
  if (view.step == null) return randomPartner({ ...view, candidates: longUnmet(view) })
  const agreed = agreedPartner(view)
  const isWorth = agreed != null && agreed !== view.even && !view.backOff.isSuspect(agreed)
  const isThere = isWorth && (view.candidates === view.ring || view.candidates.includes(agreed))
  if (isThere && isReady(view, agreed)) return agreed
  return isThere && view.isPatient === true && isReadySoon(view, agreed) ? undefined : randomPartner(view)
}

/** Of those that may be asked and are worth it, the half met longest ago; all where there are none. */
function longUnmet (view: View): readonly string[] {
  const { candidates, backOff } = view
  const able = candidates.filter((id) => isWorthAsking(view, id))
  const sorted = able.sort((one, other) => backOff.metAt(one) - backOff.metAt(other))
  return sorted.length === 0 ? candidates : sorted.slice(0, Math.ceil(sorted.length / 2))
}

/** Of two as far away the one that this site asks more readily is the farther one. */
function weightedDistance ({ distance, weight }: View): View['distance'] {
  if (distance == null || weight == null) return distance
  return (id) => {
    const away = distance(id)
    return away == null ? undefined : away * weight(id)
  }
}

/** The one whose vector is farthest by its sketch, among up to 64 drawn; random while nobody announced one. */
function farthestPartner (view: View): string | undefined {
  const { candidates, random } = view
  const distance = weightedDistance(view)
  const from = candidates.length <= COMPARED
    ? candidates
    : Array.from({ length: COMPARED }, () => candidates[Math.floor(random() * candidates.length)]!)
  let farthest: { readonly id: string, readonly distance: number } | undefined
  for (const id of from) {
    if (!isWorthAsking(view, id)) continue
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

function isWorthAsking (view: View, id: string): boolean {
  return isReady(view, id) && id !== view.even && !view.backOff.isSuspect(id)
}

/** Ready, or busy for a moment. */
function isReadySoon ({ backOff, now }: Pick<View, 'backOff' | 'now'>, id: string): boolean {
  return backOff.readyAt(id) - now <= (backOff.isFailing(id) ? 0 : PATIENCE_MS)
}

function isReady ({ self, backOff, now }: View, id: string): boolean {
  return id !== self && backOff.readyAt(id) <= now
}

/** Uniform, or by weight, over the candidates that are able: by rejection while that is quick. */
function draw ({ candidates, random, weight }: View, isAble: (id: string) => boolean): string | undefined {
  for (let i = 0; i < Math.min(DRAWS, candidates.length); i++) {
    const id = candidates[Math.floor(random() * candidates.length)]!
    if (isAble(id) && (weight == null || random() < weight(id))) return id
  }
  const able = candidates.filter(isAble)
  return weight == null ? able[Math.floor(random() * able.length)] : drawWeighted(able, random, weight)
}

function drawWeighted (able: readonly string[], random: () => number, weight: (id: string) => number): string | undefined {
  const weights = able.map(weight)
  let left = random() * weights.reduce((sum, each) => sum + each, 0)
  return able.find((_, i) => (left -= weights[i]!) < 0) ?? able.at(-1)
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
