/** Partners whose last distance tells about the next exchange: in a large federation those of some eight cycles. */
const REMEMBERED = 16
/** Exchanges after which a partner's distance says nothing any more. */
const OLD = 48
/** As few partners say something. */
const LEAST_KNOWN = 3
/** Liars of up to this share of the partners do not set the radius. */
const LIARS = 0.2
/** A site that was away, or unlucky in its partners, is some cycles behind and farther off than the rest. */
const MARGIN = 3
/** No exchange makes the radius smaller than this share of what it was: two a cycle follow the fastest random mixing. */
const DECAY = 0.75
/** A clipped distance is remembered as what makes the radius half as large again once most are clipped: a spread that grows is followed. */
const GROWTH = 1.5
/** Beyond this many radii a difference counts for less and less: nobody honest is there. */
const FAR = 4
const LEAST = 1e-4

export interface ClipState {
  readonly radius: number
  readonly recent: readonly number[]
}

interface Seen {
  readonly distance: number
  /** Counted in exchanges. */
  readonly at: number
}

/**
 * The largest ‖d‖ that this site lets one exchange apply: three times the largest of the last distances from sixteen partners, the top
 * fifth of them left out; what own training moved since is added; never more than the federation's, with which it begins (clipped
 * gossip: He, Karimireddy, Jaggi 2022). One distance per partner, many partners and a wide margin, because a radius that is too small
 * locks honest sites out for good; what liars do within it is bounded by `clipFactor`.
 */
export class ClipRadius {
  readonly #most: number
  readonly #seen = new Map<string, Seen>()
  #radius: number
  #exchanges = 0

  constructor (most: number, state?: ClipState) {
    this.#most = most
    this.#radius = Math.min(most, state?.radius ?? most)
    state?.recent.forEach((distance, index) => { this.#seen.set(`restored ${index}`, { distance, at: 0 }) })
  }

  get value (): number {
    return this.#radius
  }

  get state (): ClipState {
    return { radius: this.#radius, recent: [...this.#seen.values()].map(({ distance }) => distance) }
  }

  /** An exchange at this distance was committed; `noise` is what quantisation alone makes of equal vectors. */
  accepted (partner: string, distance: number, noise: number): void {
    const at = ++this.#exchanges
    this.#seen.delete(partner)
    this.#seen.set(partner, { distance: distance > this.#radius ? GROWTH / MARGIN * this.#radius : distance, at })
    for (const [id, seen] of this.#seen) {
      if (this.#seen.size <= REMEMBERED && seen.at >= at - OLD) break
      this.#seen.delete(id)
    }
    this.#learn(noise)
  }

  /** What so many rounds of the others may have moved them away from a site that took no part: Infinity for any number of them. */
  after (rounds: number): number {
    return rounds === Infinity ? Infinity : Math.min(this.#most, this.#radius * (1 + Math.max(0, rounds)))
  }

  /** Own training moved x by this much: the others' surely did so too. */
  moved (norm: number): void {
    for (const [id, { distance, at }] of this.#seen) this.#seen.set(id, { distance: distance + Math.SQRT2 * norm, at })
    this.#radius = Math.min(this.#most, this.#radius + MARGIN * Math.SQRT2 * norm)
  }

  #learn (noise: number): void {
    const sorted = Array.from(this.#seen.values(), ({ distance }) => distance).sort((a, b) => b - a)
    if (sorted.length < LEAST_KNOWN) return
    const typical = sorted[Math.floor(LIARS * sorted.length)]!
    this.#radius = Math.min(this.#most, Math.max(MARGIN * typical, MARGIN * noise, LEAST * this.#most, DECAY * this.#radius))
  }
}

/** What d is scaled by so that ‖d‖ ≤ radius, and soon far less beyond FAR radii; never more than 1. */
export function clipFactor (distance: number, radius: number): number {
  if (distance <= radius) return 1
  return radius / distance * Math.min(1, FAR * radius / distance) ** 2
}
