/** Pauses after refusals: they double, and never hold a site off for long that has got a new certificate meanwhile. */
const FIRST_MS = 10_000
const LONGEST_DIAL_MS = 300_000
const LONGEST_INBOUND_MS = 60_000
const FORGIVEN_MS = 900_000
const MOST = 1_024

interface Entry { readonly count: number, readonly at: number, readonly byUs: boolean }

/** Peers that were refused, or refused us: not dialled again soon, and not let in again soon. */
export class Shunned {
  readonly #now: () => number
  readonly #entries = new Map<string, Entry>()

  constructor (now: () => number) {
    this.#now = now
  }

  /** `byUs` when this site refused the peer, not the peer this site. */
  add (peer: string, byUs: boolean): void {
    const known = this.#entries.get(peer)
    const count = known == null || this.#now() - known.at > FORGIVEN_MS ? 1 : known.count + 1
    this.#entries.delete(peer)
    this.#entries.set(peer, { count, at: this.#now(), byUs })
    if (this.#entries.size > MOST) this.#entries.delete(this.#entries.keys().next().value!)
  }

  forgive (peer: string): void {
    this.#entries.delete(peer)
  }

  deniesDial (peer: string): boolean {
    return this.#isWithin(peer, LONGEST_DIAL_MS)
  }

  deniesInbound (peer: string): boolean {
    return this.#entries.get(peer)?.byUs === true && this.#isWithin(peer, LONGEST_INBOUND_MS)
  }

  #isWithin (peer: string, longest: number): boolean {
    const entry = this.#entries.get(peer)
    return entry != null && this.#now() - entry.at < Math.min(longest, FIRST_MS * 2 ** (entry.count - 1))
  }
}
