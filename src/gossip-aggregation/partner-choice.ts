/** What a site knows when it chooses whom to ask. */
export interface View {
  /** Reachable sites that announce the same schema. */
  readonly candidates: readonly string[]
  readonly backOff: BackOff
  /** Milliseconds on the clock that BackOff was told. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 60_000
const MAX_CLIPPED = 3

/** A partner drawn uniformly among those that are not to be left alone yet; those clipped three times running only if nobody else is there. */
export function randomPartner ({ candidates, backOff, now, random }: View): string | undefined {
  const ready = candidates.filter((id) => backOff.readyAt(id) <= now)
  const trusted = ready.filter((id) => !backOff.isSuspect(id))
  const choice = trusted.length > 0 ? trusted : ready
  return choice[Math.floor(random() * choice.length)]
}

/** When the next candidate may be asked; undefined without candidates. */
export function nextReady ({ candidates, backOff }: Pick<View, 'candidates' | 'backOff'>): number | undefined {
  return candidates.length === 0 ? undefined : Math.min(...candidates.map((id) => backOff.readyAt(id)))
}

interface Entry {
  readyAt: number
  failures: number
  clipped: number
}

/** Until when each partner is left alone: as long as it said when it refused, or 0.5 s doubling to 60 s when it failed. */
export class BackOff {
  readonly #entries = new Map<string, Entry>()

  readyAt (id: string): number {
    return this.#entries.get(id)?.readyAt ?? 0
  }

  /** Its difference was clipped three times running: report it. */
  isSuspect (id: string): boolean {
    return (this.#entries.get(id)?.clipped ?? 0) >= MAX_CLIPPED
  }

  /** Refused (BUSY and the like) with a hint when to ask again. */
  refused (id: string, now: number, retryAfterMs: number): void {
    this.#entry(id).readyAt = now + Math.min(retryAfterMs, LONGEST_DELAY_MS)
  }

  failed (id: string, now: number): void {
    const entry = this.#entry(id)
    entry.readyAt = now + Math.min(FIRST_DELAY_MS * 2 ** entry.failures, LONGEST_DELAY_MS)
    entry.failures++
  }

  succeeded (id: string, { clipped }: { clipped: boolean }): void {
    const entry = this.#entry(id)
    entry.readyAt = 0
    entry.failures = 0
    entry.clipped = clipped ? entry.clipped + 1 : 0
  }

  #entry (id: string): Entry {
    const entry = this.#entries.get(id) ?? { readyAt: 0, failures: 0, clipped: 0 }
    this.#entries.set(id, entry)
    return entry
  }
}
