import type { Fitted } from '../../dataset/index.ts'
import { certaintyOf, isSelected, WHOLE, type Measures } from './certainty.ts'

/** A pseudo-mask of one class: probabilities in 255ths, by cell. */
export interface PoolEntry {
  readonly shares: Uint8Array
  readonly measures: Measures
}

/** One pseudo-mask as it is made, for those who judge it. */
export interface Made {
  /** Probabilities by cell. */
  readonly coarse: Float32Array
  readonly shares: Uint8Array
  readonly measures: Measures
}

export type OnMade = (sample: Fitted, of: number, made: Made) => void

/** What is made up for one image: for each class the best of what its rounds made. */
export type ImagePool = readonly (readonly PoolEntry[])[]

/** Of all images without whole masks, by their pixels' hashes. */
export interface Pool {
  /** The last that added to it; 0 before one. */
  readonly round: number
  readonly images: ReadonlyMap<string, ImagePool>
}

/** Where a site keeps its pool between phases. It is made of pixels: private. */
export interface PoolStore {
  load (): Promise<Pool>
  save (pool: Pool): Promise<void>
}

export const EMPTY_POOL: Pool = { round: 0, images: new Map() }

/** For those who keep nothing beyond a process. */
export class MemoryPool implements PoolStore {
  #pool = EMPTY_POOL

  load (): Promise<Pool> {
    return Promise.resolve(this.#pool)
  }

  save (pool: Pool): Promise<void> {
    this.#pool = pool
    return Promise.resolve()
  }
}

const MEASURES = ['absolute', 'relative', 'departure'] as const

/** While there is room a new entry is taken; then it replaces the first that it beats in two of three measures. */
export function withEntry (entries: readonly PoolEntry[], entry: PoolEntry, room: number): readonly PoolEntry[] {
  if (entries.length < room) return [...entries, entry]
  const kept = entries.slice(0, room)
  const at = kept.findIndex(({ measures }) => MEASURES.filter((each) => entry.measures[each] < measures[each]).length >= 2)
  return at < 0 ? kept : kept.with(at, entry)
}

/** What training sees of a class, by cell, in 255ths. */
export interface Believed { readonly shares: Uint8Array, readonly certainty: Uint8Array }

/**
 * The mean of the entries by their certainty, and their mean certainty: for the cross-entropy the same as the mean of their losses. Those
 * that are not selected are certain of nothing. Undefined where none is selected.
 */
export function believedOf (
  entries: readonly PoolEntry[],
  most: { readonly absolute: number, readonly relative: number }
): Believed | undefined {
  const selected = entries.filter(({ measures }) => isSelected(measures, most))
  const [first] = selected
  if (first == null) return undefined
  const [shares, certainty] = [new Uint8Array(first.shares.length), new Uint8Array(first.shares.length)]
  for (const cell of shares.keys()) {
    let [sum, weighted] = [0, 0]
    for (const each of selected) {
      const weight = certaintyOf(each.shares[cell]!)
      sum += weight
      weighted += weight * each.shares[cell]!
    }
    shares[cell] = sum === 0 ? first.shares[cell]! : Math.round(weighted / sum)
    certainty[cell] = Math.round(WHOLE * sum / entries.length)
  }
  return { shares, certainty }
}
