import type { Decision, ExchangeLog } from './exchange-log.ts'

/** x ← x + factor·difference; this site's training up to step `carried` is at the partner. */
export type Apply = (exchangeId: string, difference: Float32Array, factor: number, carried: number) => void

/** Exchanges that this site initiated and whose Committed never came: at most one per partner. */
export class Doubts {
  readonly #log: ExchangeLog
  readonly #apply: Apply
  readonly #byPartner = new Map<string, string>()
  readonly #settling = new Map<string, Promise<void>>()

  constructor (log: ExchangeLog, apply: Apply) {
    this.#log = log
    this.#apply = apply
    for (const { partner, exchangeId } of log.pending()) this.#byPartner.set(partner, exchangeId)
  }

  get byPartner (): ReadonlyMap<string, string> {
    return this.#byPartner
  }

  add ({ partner, id }: { partner: string, id: string }): void {
    this.#byPartner.set(partner, id)
  }

  /** Once per exchange, however often it is asked for; rejects, and stays in doubt, when the log cannot be written. */
  async settle (exchangeId: string, verdict: Decision): Promise<void> {
    const running = this.#settling.get(exchangeId) ?? this.#settle(exchangeId, verdict).finally(() => { this.#settling.delete(exchangeId) })
    this.#settling.set(exchangeId, running)
    await running
  }

  async #settle (exchangeId: string, verdict: Decision): Promise<void> {
    const partner = [...this.#byPartner].find(([, id]) => id === exchangeId)?.[0]
    const record = this.#log.pending().find((head) => head.exchangeId === exchangeId)
    if (partner == null || record == null) return
    const difference = verdict === 'committed' ? await this.#log.read(exchangeId) : undefined
    await this.#log.settle(exchangeId, verdict)
    if (difference != null) this.#apply(exchangeId, difference, record.factor, record.steps ?? 0)
    this.#byPartner.delete(partner)
  }
}
