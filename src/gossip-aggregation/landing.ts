import type { Averager } from './averager.ts'

/** A result of training: from what it started, in what it ended, and after which round it counts. */
export interface Landing {
  readonly before: Float32Array
  readonly after: Float32Array
  readonly round: number
  /** Optimiser steps that it took. */
  readonly steps?: number
}

/**
 * The one way from training into x, for daemon and experiment alike. Whatever is done to a site's own delta before anybody
 * else can see it is done here, in this order: scale it, clip it and add noise, seal it. As yet it lands as it is. @throws SchemaError
 * for another length or numbers that are not finite; nothing has changed then.
 */
export function land (averager: Pick<Averager, 'land'>, { before, after, round, steps }: Landing): void {
  averager.land(before, after, round, steps)
}
