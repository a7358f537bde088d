import { SchemaError } from '../errors.ts'
import type { Averager } from './averager.ts'

/** A result of training: from what it started, in what it ended, and after which round it counts. */
export interface Landing {
  readonly before: Float32Array
  readonly after: Float32Array
  readonly round: number
  /** Optimiser steps that it took. */
  readonly steps?: number
  /** By how much the site scales what training changed, LEAST_FACTOR to MOST_FACTOR; not at all if not given. */
  readonly factor?: number | undefined
  /** Clips what training changed and adds noise, where the federation promises differential privacy. */
  readonly hide?: ((delta: Float32Array) => Float32Array) | undefined
}

/** Whatever the others say, a site's own training counts for at least and at most so many times itself. */
export const LEAST_FACTOR = 1 / 4
export const MOST_FACTOR = 4

/**
 * The one way from training into x, for daemon and experiment alike. Whatever is done to a site's own delta before anybody
 * else can see it is done here, in this order: scale it, clip it and add noise, seal it. Without `factor` and `hide` it lands as it is.
 * Masses never change: x moves by what lands, and Σw·x with it. @throws SchemaError for another length or numbers that are not finite;
 * nothing has changed then.
 */
export function land (averager: Pick<Averager, 'land'>, { before, after, round, steps, factor = 1, hide }: Landing): void {
  if (hide == null && factor === 1) {
    averager.land(before, after, round, steps)
    return
  }
  const scale = bounded(factor)
  const delta = after.map((value, i) => scale * (value - (before[i] ?? NaN)))
  if (!delta.every(Number.isFinite)) throw new SchemaError('the training result holds a value that is not finite')
  averager.land(new Float32Array(delta.length), hide?.(delta) ?? delta, round, steps)
}

function bounded (factor: number): number {
  if (Number.isNaN(factor)) throw new SchemaError('a training result is to be scaled by what is no number')
  return Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, factor))
}
