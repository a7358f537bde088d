import { SchemaError } from '../errors.ts'
import type { Averager } from './averager.ts'

/** A result of training: from what it started, in what it ended, and after which round it counts. */
export interface Landing {
  readonly before: Float32Array
  readonly after: Float32Array
  readonly round: number
  /** Optimiser steps that it took. */
  readonly steps?: number
  /** Clips what training changed and adds noise, where the federation promises differential privacy. */
  readonly hide?: ((delta: Float32Array) => Float32Array) | undefined
}

/**
 * The one way from training into x, for daemon and experiment alike. Whatever is done to a site's own delta before anybody
 * else can see it is done here, in this order: scale it, clip it and add noise, seal it. Without `hide` it lands as it is. @throws
 * SchemaError for another length or numbers that are not finite; nothing has changed then.
 */
export function land (averager: Pick<Averager, 'land'>, { before, after, round, steps, hide }: Landing): void {
  if (hide == null) {
    averager.land(before, after, round, steps)
    return
  }
  const delta = after.map((value, i) => value - (before[i] ?? NaN))
  if (!delta.every(Number.isFinite)) throw new SchemaError('the training result holds a value that is not finite')
  averager.land(new Float32Array(delta.length), hide(delta), round, steps)
}
