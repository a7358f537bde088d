import { ProtocolError } from '../errors.ts'
import type { ExchangeLog, Verdict } from './exchange-log.ts'

/** Outcomes kept for one initiator that never says it settled; beyond these it is refused. */
const MOST = 64

/** What this site, as responder, decided about others' exchanges, until they have settled. */
export class Decisions {
  readonly #log: ExchangeLog

  constructor (log: ExchangeLog) {
    this.#log = log
  }

  isFull (partner: string): boolean {
    return this.#log.unacknowledged(partner).length >= MOST
  }

  /** What was decided; what was not yet is aborted from now on. */
  async decide (exchangeId: string, partner: string): Promise<Verdict> {
    const decided = this.#log.outcome(exchangeId, partner)
    if (decided != null) return decided
    if (this.isFull(partner)) throw new ProtocolError('the partner asks about more exchanges than it can have had')
    await this.#log.decideAborted(exchangeId, partner)
    return 'aborted'
  }

  async acknowledged (exchangeId: string, partner: string): Promise<void> {
    const kept = this.#log.unacknowledged(partner)
    const through = kept.indexOf(exchangeId)
    if (through >= 0) await this.#log.forget(kept.slice(0, through + 1), partner)
  }
}
