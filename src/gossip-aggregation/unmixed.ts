import { addScaled } from './vectors/arithmetic.ts'

/** Optimiser steps of phase G of one site. */
export interface Steps {
  /** Landed in its x so far. */
  readonly trained: number
  /** Of these, those that reached another site whole by a committed exchange. */
  readonly arrived: number
  /** Of these, those that a damaged home took with it before they arrived anywhere. */
  readonly lost: number
}

/** What one landing, or several, added to x. */
export interface Landed {
  /** Steps trained before it, and by the end of it. */
  readonly from: number
  readonly until: number
  readonly delta: Float32Array
}

export const NO_STEPS: Steps = { trained: 0, arrived: 0, lost: 0 }
/** More are summed up from the oldest on. */
const MOST = 3

/**
 * What a site trained that no other site has yet: it is kept apart from x, so that a site that takes another's x over can land it again
 * on top (docs/spec/gossip.md#catching-up).
 */
export class Unmixed {
  #steps: Steps
  #landed: readonly Landed[]

  constructor (steps: Steps = NO_STEPS, landed: readonly Landed[] = []) {
    this.#steps = steps
    this.#landed = distinct(landed).filter(({ until }) => until > steps.arrived && until <= steps.trained)
  }

  get steps (): Steps {
    return this.#steps
  }

  /** Oldest first; not to be changed. */
  get landed (): readonly Landed[] {
    return this.#landed
  }

  /** `delta` is kept, and must not change. */
  add (delta: Float32Array, steps: number): void {
    const from = this.#steps.trained
    const trained = from + steps
    this.#steps = { ...this.#steps, trained }
    if (steps === 0) return
    this.#landed = summed([...this.#landed, { from, until: trained, delta }])
  }

  /** Trained, and kept apart from x until a group carries it. */
  sealed (steps: number): void {
    this.#steps = { ...this.#steps, trained: this.#steps.trained + steps }
  }

  /** An exchange carried all steps up to this number, whole, to another site. */
  arrive (until: number): void {
    if (until <= this.#steps.arrived) return
    this.#steps = { ...this.#steps, arrived: Math.min(until, this.#steps.trained) }
    this.#landed = this.#landed.filter((each) => each.until > until)
  }

  /** into ← into − all of it. */
  takeOut (into: Float32Array): void {
    for (const { delta } of this.#landed) addScaled(into, -1, delta)
  }
}

/** A sum arrives with its last part: until then it is kept whole. */
function summed (landed: readonly Landed[]): readonly Landed[] {
  const [oldest, second, ...rest] = landed
  if (landed.length <= MOST || oldest == null || second == null) return landed
  const delta = oldest.delta.slice()
  addScaled(delta, 1, second.delta)
  return [{ from: oldest.from, until: second.until, delta }, ...rest]
}

/** Oldest first, and of a sum and its parts, all of which may have been kept, the sum alone. */
function distinct (landed: readonly Landed[]): readonly Landed[] {
  const kept: Landed[] = []
  for (const each of landed.toSorted((a, b) => b.until - a.until || a.from - b.from)) {
    if (each.until <= (kept[0]?.from ?? Infinity)) kept.unshift(each)
  }
  return kept
}
