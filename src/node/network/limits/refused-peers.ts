import { LRUCache } from 'lru-cache'
import { doublingMs } from '../../../common/doubling.ts'

/** Pauses after refusals: they double, and never hold a site off for long that has got a new certificate meanwhile. */
const FIRST_MS = 10_000
const LONGEST_DIAL_MS = 300_000
const LONGEST_INBOUND_MS = 60_000
const FORGIVEN_MS = 900_000
const MOST = 1_024

interface Entry { readonly count: number, readonly at: number, readonly byUs: boolean }

/** Peers that were refused, or refused us: not dialled again soon, and not let in again soon. */
export class RefusedPeers {
  readonly #now: () => number
  readonly #entries = new LRUCache<string, Entry>({ max: MOST })

  constructor (now: () => number) {
    this.#now = now
  }

  /** `byUs` when this site refused the peer, not the peer this site. */
  add (peer: string, byUs: boolean): void {
    const known = this.#entries.peek(peer)
    const count = known == null || this.#now() - known.at > FORGIVEN_MS ? 1 : known.count + 1
    this.#entries.set(peer, { count, at: this.#now(), byUs })
  }

  forgive (peer: string): void {
    this.#entries.delete(peer)
  }

  deniesDial (peer: string): boolean {
    return this.#isWithin(peer, LONGEST_DIAL_MS)
  }

  deniesInbound (peer: string): boolean {
    return this.#entries.peek(peer)?.byUs === true && this.#isWithin(peer, LONGEST_INBOUND_MS)
  }

  #isWithin (peer: string, longest: number): boolean {
    const entry = this.#entries.peek(peer)
    return entry != null && this.#now() - entry.at < doublingMs({ firstMs: FIRST_MS, lastMs: longest }, entry.count - 1)
  }
}
