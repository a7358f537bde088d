import { doublingMs } from '../common/doubling.ts'

const DELAY = { firstMs: 500, lastMs: 60_000 }
const MOST_SUSPICION = 3
/** Beyond this many radii hardly anybody honest is, however far behind: that counts twice. */
const FAR = 10
const FAR_COUNTS = 2
/** Partners remembered; strangers with ever new ids must not fill the memory. */
const MOST = 1_024

interface Entry {
  readyAt: number
  failures: number
  suspicion: number
  metAt: number
  hasPushed: boolean
}

/**
 * Until when each partner is left alone: as long as it said when it refused, or 0.5 s doubling to 60 s when it failed. And whom to
 * suspect: who was clipped three times running, or twice when far beyond the radius, or pushed (see `Influence`). Remembers 1,024
 * partners; beyond these the one quiet longest is forgotten, suspects last (which a cache by last use alone could not).
 */
export class BackOff {
  readonly #entries = new Map<string, Entry>()
  #exchanges = 0

  readyAt (id: string): number {
    return this.#entries.get(id)?.readyAt ?? 0
  }

  /** It was asked last and did not answer. */
  isFailing (id: string): boolean {
    return (this.#entries.get(id)?.failures ?? 0) > 0
  }

  /** After how many exchanges it was met last; 0 for never. */
  metAt (id: string): number {
    return this.#entries.get(id)?.metAt ?? 0
  }

  /** Its differences were clipped again and again: report it. */
  isSuspect (id: string): boolean {
    const entry = this.#entries.get(id)
    return entry != null && (entry.hasPushed || entry.suspicion >= MOST_SUSPICION)
  }

  get suspects (): string[] {
    return [...this.#entries.keys()].filter((id) => this.isSuspect(id))
  }

  /** Refused (BUSY and the like) with a hint when to ask again. */
  refused (id: string, now: number, retryAfterMs: number): void {
    this.#entry(id).readyAt = now + Math.min(retryAfterMs, DELAY.lastMs)
  }

  failed (id: string, now: number): void {
    const entry = this.#entry(id)
    entry.readyAt = now + doublingMs(DELAY, entry.failures)
    entry.failures++
  }

  /** An exchange with it was committed, whoever began; `excess` is ‖d‖ in multiples of this site's clip radius. */
  succeeded (id: string, { excess }: { excess: number }): void {
    const entry = this.#entry(id)
    entry.readyAt = 0
    entry.failures = 0
    entry.metAt = ++this.#exchanges
    entry.suspicion = excess <= 1 ? 0 : entry.suspicion + (excess > FAR ? FAR_COUNTS : 1)
  }

  /** It moved this site by all that it may, again and again: suspect from now on. */
  pushed (id: string): void {
    this.#entry(id).hasPushed = true
  }

  /** The partner's entry, last in the order of forgetting from now on. */
  #entry (id: string): Entry {
    const entry = this.#entries.get(id) ?? { readyAt: 0, failures: 0, suspicion: 0, metAt: 0, hasPushed: false }
    this.#entries.delete(id)
    if (this.#entries.size >= MOST) this.#forget()
    this.#entries.set(id, entry)
    return entry
  }

  #forget (): void {
    let quietest: string | undefined
    for (const id of this.#entries.keys()) {
      quietest ??= id
      if (this.isSuspect(id)) continue
      quietest = id
      break
    }
    if (quietest != null) this.#entries.delete(quietest)
  }
}
