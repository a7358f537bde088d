/** Exchanges of a site that tell about the next: some eight cycles. */
const REMEMBERED = 16
/** As few say something. */
const LEAST_KNOWN = 3
/** Liars of up to a quarter of what is remembered do not set the radius. */
const QUANTILE = 0.75
/** A site that was away, or unlucky in its partners, is some cycles behind and farther off than the rest. */
const MARGIN = 3
/** A clipped distance is remembered as what makes the radius half as large again once most are clipped: a spread that grows is followed. */
const GROWTH = 1.5
/** Beyond this many radii a difference counts for less and less: nobody honest is there. */
export const FAR = 4
const LEAST = 1e-4

export interface ClipState {
  readonly radius: number
  readonly recent: readonly number[]
}

/**
 * The largest ‖d‖ that this site lets one exchange apply: three times the upper quartile of the last sixteen distances, to which what its own training moved since is added;
 * never more than the federation's, with which it begins (clipped gossip: He, Karimireddy, Jaggi 2022). Memory and margin are wide because a radius that is too small locks honest
 * sites out for good; what liars do within it is bounded by `clipFactor`.
 */
export class ClipRadius {
  readonly #most: number
  #radius: number
  #recent: number[]

  constructor (most: number, state?: ClipState) {
    this.#most = most
    this.#radius = Math.min(most, state?.radius ?? most)
    this.#recent = [...state?.recent ?? []]
  }

  get value (): number {
    return this.#radius
  }

  get state (): ClipState {
    return { radius: this.#radius, recent: [...this.#recent] }
  }

  /** An exchange at this distance was committed; `noise` is what quantisation alone makes of equal vectors. */
  accepted (distance: number, { noise }: { noise: number }): void {
    const most = GROWTH / MARGIN * this.#radius
    this.#recent = [...this.#recent, distance > this.#radius ? most : distance].slice(-REMEMBERED)
    this.#learn(noise)
  }

  /** Own training moved x by this much: the others' surely did so too. */
  moved (norm: number): void {
    this.#recent = this.#recent.map((distance) => distance + Math.SQRT2 * norm)
    this.#radius = Math.min(this.#most, this.#radius + MARGIN * Math.SQRT2 * norm)
  }

  #learn (noise: number): void {
    if (this.#recent.length < LEAST_KNOWN) return
    const sorted = [...this.#recent].sort((a, b) => a - b)
    const typical = sorted[Math.floor(QUANTILE * (sorted.length - 1))]!
    this.#radius = Math.min(this.#most, MARGIN * Math.max(typical, noise, LEAST / MARGIN * this.#most))
  }
}

/** What d is scaled by so that ‖d‖ ≤ radius, and soon far less beyond FAR radii; never more than 1. */
export function clipFactor (distance: number, radius: number): number {
  if (distance <= radius) return 1
  return radius / distance * Math.min(1, FAR * radius / distance) ** 2
}
