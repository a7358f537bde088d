import { createHash } from 'node:crypto'
import type { Federation } from '../document.ts'
import { canonicalBytes, isSameJson } from '../signed.ts'
import { readRow, type ScoreRow } from './score-row.ts'

/** Rows that are kept of one site, its newest, and of how many sites. */
const MOST_OF_ONE = 32
const MOST_SITES = 256

/** The rows of scores that a site knows: sets that meet become the same, whatever order they come in. */
export class KnownScores {
  readonly #federation: () => Federation
  /** By site and adapter. */
  readonly #bySite = new Map<string, Map<string, ScoreRow>>()
  /** Every greeting asks for it. */
  #digest: Uint8Array | undefined

  constructor (federation: () => Federation) {
    this.#federation = federation
  }

  /** In order of site and adapter. */
  get all (): ScoreRow[] {
    return sorted(this.#bySite).flatMap((rows) => sorted(rows))
  }

  /** SHA-256, equal where two sites know the same rows. */
  get digest (): Uint8Array {
    this.#digest ??= this.all.reduce((hash, each) => hash.update(canonicalBytes(each)), createHash('sha256')).digest()
    return this.#digest
  }

  /** Takes in what is new and returns it. @throws ProtocolError for a row that was forged or altered */
  async learn (values: readonly unknown[]): Promise<ScoreRow[]> {
    const news: ScoreRow[] = []
    for (const value of values) {
      if (this.#knows(value)) continue
      const row = await readRow(value, this.#federation())
      if (row != null && this.#put(row)) news.push(row)
    }
    return news
  }

  /** Those that differ are told whole, and most of them are known. */
  #knows (value: unknown): boolean {
    const { site, adapter } = (value ?? {}) as Partial<ScoreRow>
    const known = this.#bySite.get(site ?? '')?.get(adapter ?? '')
    return known != null && isSameJson(known, value)
  }

  #put (row: ScoreRow): boolean {
    const rows = this.#bySite.get(row.site) ?? new Map<string, ScoreRow>()
    if (rows.size === 0 && this.#bySite.size >= MOST_SITES) return false
    const known = rows.get(row.adapter)
    if (known != null && !isNewer(row, known)) return false
    if (known == null && rows.size >= MOST_OF_ONE) {
      const oldest = [...rows.values()].reduce((old, each) => isNewer(each, old) ? old : each)
      if (!isNewer(row, oldest)) return false
      rows.delete(oldest.adapter)
    }
    rows.set(row.adapter, row)
    this.#bySite.set(row.site, rows)
    this.#digest = undefined
    return true
  }
}

/** Of two of the same time, the one whose bytes come later. */
function isNewer (row: ScoreRow, than: ScoreRow): boolean {
  const [a, b] = [Date.parse(row.made), Date.parse(than.made)]
  return a === b ? Buffer.compare(canonicalBytes(row), canonicalBytes(than)) > 0 : a > b
}

function sorted<T> (map: ReadonlyMap<string, T>): T[] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1).map(([, value]) => value)
}
