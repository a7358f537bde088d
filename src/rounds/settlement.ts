import { doublingMs } from '../common/doubling.ts'
import type { Clock } from './clock.ts'

export interface SettlementInit {
  /** Partners with whom an exchange that this site began is in doubt. */
  readonly doubts: () => Iterable<string>
  readonly connected: () => Iterable<string>
  /** Asks a partner what became of it, and acknowledges what is settled. */
  readonly settle: (partner: string) => Promise<void>
  readonly clock: Clock
}

const TICK_MS = 500
const PAUSE = { firstMs: 1_000, lastMs: 60_000 }
const AT_ONCE = 4

interface Attempt {
  readonly failures: number
  readonly dueAt: number
}

/**
 * Settles exchanges in doubt whenever their partner is there: soon, since a difference that is applied late moves this site away from
 * the others. Each partner is also spoken to once after a start, so that it may forget the outcomes that it keeps for this site.
 */
export class Settlement {
  readonly #init: SettlementInit
  readonly #attempts = new Map<string, Attempt>()
  readonly #greeted = new Set<string>()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor (init: SettlementInit) {
    this.#init = init
  }

  start (): void {
    this.#running ??= this.#run()
  }

  async stop (): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** In doubt with somebody who is there: this can be settled now. */
  get isOpen (): boolean {
    const connected = new Set(this.#init.connected())
    return [...this.#init.doubts()].some((partner) => connected.has(partner))
  }

  async #run (): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await Promise.all(this.#due().map(async (partner) => { await this.#settle(partner) }))
      await this.#init.clock.sleep(TICK_MS, signal).catch(() => { /* stopped */ })
    }
  }

  #due (): string[] {
    const { doubts, connected, clock } = this.#init
    const there = [...connected()]
    const inDoubt = new Set(doubts())
    for (const id of [...this.#attempts.keys()]) if (!there.includes(id)) this.#attempts.delete(id)
    const isDue = (id: string): boolean =>
      (inDoubt.has(id) || !this.#greeted.has(id)) && (this.#attempts.get(id)?.dueAt ?? 0) <= clock.now()
    return there.filter(isDue).sort((a, b) => Number(inDoubt.has(b)) - Number(inDoubt.has(a))).slice(0, AT_ONCE)
  }

  async #settle (partner: string): Promise<void> {
    const { settle, clock } = this.#init
    try {
      await settle(partner)
      this.#greeted.add(partner)
      this.#attempts.delete(partner)
    } catch {
      const before = this.#attempts.get(partner)?.failures ?? 0
      this.#attempts.set(partner, { failures: before + 1, dueAt: clock.now() + doublingMs(PAUSE, before) })
    }
  }
}
