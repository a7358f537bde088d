import { LRUCache } from 'lru-cache'
import type { AdapterExchange, AdapterExchangeInit } from '../../../protocol/adapter-exchange/index.ts'

type AveragingPort = AdapterExchangeInit['averaging']

/** A partner that initiates may keep this site's one exchange busy for half of the time, and so long at once after a quiet time. */
export const SHARE = { part: 0.5, burstMs: 10_000 } as const
/** An exchange that fails costs its initiator this many times its duration, at least a second. */
const FAILURE = { factor: 4, leastMs: 1_000 }
const MOST = 1024

interface TimeAccount {
  /** Milliseconds that it may still use; below 0 it waits. */
  balance: number
  at: number
  /** When its running exchange was accepted. */
  since: number
}

/** Keeps one partner from holding the only exchange of a site, by stalling or by exchanging without end. */
export class FairShare {
  readonly #now: () => number
  readonly #accounts = new LRUCache<string, TimeAccount>({ max: MOST })

  constructor (now: () => number) {
    this.#now = now
  }

  /** The same averaging, which is BUSY for partners that used up their share. */
  of (averaging: AveragingPort): AveragingPort {
    const answer: AveragingPort['answer'] = (init) => {
      const account = this.#account(init.partner)
      if (account.balance < 0) return { refused: 'BUSY' }
      const answered = averaging.answer(init)
      if ('exchange' in answered) account.since = this.#now()
      return answered
    }
    return new Proxy(averaging, {
      get: (target, name) => {
        if (name === 'answer') return answer
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value
      }
    })
  }

  watch (service: Pick<AdapterExchange, 'addEventListener'>): void {
    service.addEventListener('exchange', ({ detail: { partner, role } }) => { if (role === 'responder') this.#charge(partner, false) })
    service.addEventListener('failure', ({ detail: { partner, role } }) => { if (role === 'responder') this.#charge(partner, true) })
  }

  #charge (partner: string, failed: boolean): void {
    const account = this.#account(partner)
    const used = Math.max(0, this.#now() - account.since)
    account.balance -= failed ? Math.max(FAILURE.leastMs, FAILURE.factor * used) : used
  }

  #account (partner: string): TimeAccount {
    const now = this.#now()
    const account = this.#accounts.get(partner) ?? { balance: SHARE.burstMs, at: now, since: now }
    account.balance = Math.min(SHARE.burstMs, account.balance + SHARE.part * (now - account.at))
    account.at = now
    this.#accounts.set(partner, account)
    return account
  }
}
