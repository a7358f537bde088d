import { LRUCache } from 'lru-cache'

const MAX_PEERS = 1024

/**
 * How often each peer did what; the peer that was quiet longest is forgotten beyond 1024 of them. `kind`s are few and fixed, never a
 * peer's own words.
 */
export class Tally {
  readonly #peers = new LRUCache<string, Record<string, number>>({ max: MAX_PEERS })

  count (peer: string, kind: string): void {
    const counts = this.#peers.peek(peer) ?? {}
    this.#peers.set(peer, { ...counts, [kind]: (counts[kind] ?? 0) + 1 })
  }

  of (peer: string): Readonly<Record<string, number>> {
    return this.#peers.peek(peer) ?? {}
  }
}
