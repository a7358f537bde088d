import type { Pool, PoolEntry } from '../../../src/model/pseudo/pool.ts'

const CELLS = 64

/** Of a round, with numbers of its own: three pseudo-masks of two images and two classes. */
export function poolOf (round: number): Pool {
  const entry = (of: number): PoolEntry => ({
    shares: Uint8Array.from({ length: CELLS }, (_, cell) => (cell * of + round) % 256),
    measures: { absolute: 0.1 * of, relative: 1 / 3, departure: round / 7 }
  })
  return { round, images: new Map([['aa', [[entry(1), entry(2)], []]], ['bb', [[], [entry(3)]]]]) }
}
