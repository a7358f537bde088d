/** What three exchanges of a site tell about the next. */
const REMEMBERED = 3
const MARGIN = 2
/** A partner in the way of a growing spread widens the radius by half, once most exchanges are clipped. */
const GROWTH = 1.5
/** Beyond this many radii a difference counts for less and less: nobody honest is there. */
const FAR = 4
const LEAST = 1e-6

export interface ClipState {
  readonly radius: number
  readonly recent: readonly number[]
}

/**
 * The largest ‖d‖ that this site lets one exchange apply: twice the median of the last three accepted distances, plus what its own training moved since; never more than the
 * federation's, with which it begins (clipped gossip: He, Karimireddy, Jaggi 2022).
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
  accepted (distance: number, { clipped, noise }: { clipped: boolean, noise: number }): void {
    this.#recent = [...this.#recent, clipped ? GROWTH / MARGIN * this.#radius : distance].slice(-REMEMBERED)
    if (this.#recent.length === REMEMBERED) this.#set(MARGIN * Math.max(median(this.#recent), noise))
  }

  /** Own training moved x by this much: the others' surely did so too. */
  moved (norm: number): void {
    this.#set(this.#radius + MARGIN * norm)
  }

  #set (radius: number): void {
    this.#radius = Math.min(this.#most, Math.max(radius, LEAST * this.#most))
  }
}

/** What d is scaled by so that ‖d‖ ≤ radius; never more than 1. */
export function clipFactor (distance: number, radius: number): number {
  if (distance <= radius) return 1
  return radius / distance * Math.min(1, FAR * radius / distance)
}

function median (values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
