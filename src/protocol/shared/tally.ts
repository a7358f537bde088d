const MAX_PEERS = 1024

/**
 * How often each peer did what; the peer that was quiet longest is forgotten beyond 1024 of them. `kind`s are few and fixed, never a
 * peer's own words.
 */
export class Tally {
  readonly #peers = new Map<string, Record<string, number>>()

  count (peer: string, kind: string): void {
    const counts = this.#peers.get(peer) ?? {}
    this.#peers.delete(peer)
    this.#peers.set(peer, { ...counts, [kind]: (counts[kind] ?? 0) + 1 })
    if (this.#peers.size > MAX_PEERS) this.#peers.delete(this.#peers.keys().next().value!)
  }

  of (peer: string): Readonly<Record<string, number>> {
    return this.#peers.get(peer) ?? {}
  }
}
