import { GENESIS, parseLine, sha256, type LedgerEntry } from './entry.ts'

/** Where a chain stands: entries so far and the SHA-256 of the last. */
export interface ChainPoint {
  readonly count: number
  readonly hash: string
}

/** Follows a hash chain line by line and stops at the first that does not fit. */
export class Chain {
  #count: number
  #hash: string

  constructor ({ count, hash }: ChainPoint = { count: 0, hash: GENESIS }) {
    this.#count = count
    this.#hash = hash
  }

  get point (): ChainPoint {
    return { count: this.#count, hash: this.#hash }
  }

  /** The next entry, or why this line is not it. */
  accept (line: Uint8Array): LedgerEntry | { readonly wrong: string } {
    const entry = parseLine(line)
    const expected = this.#count + 1
    if (entry == null) return { wrong: `entry ${expected} was changed: it is not a line as the ledger writes them` }
    if (entry.seq !== expected) return { wrong: `entry ${expected} is missing or was moved: number ${entry.seq} stands in its place` }
    if (entry.prev !== this.#hash) {
      return { wrong: `entry ${this.#count === 0 ? expected : this.#count} was changed or replaced: the next one does not continue it` }
    }
    this.#count = expected
    this.#hash = sha256(line)
    return entry
  }
}
