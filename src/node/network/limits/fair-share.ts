import { LRUCache } from 'lru-cache'
import type { AdapterExchange, AdapterExchangeInit } from '../../../protocol/adapter-exchange/index.ts'

type AveragingPort = AdapterExchangeInit['averaging']

/** A partner that initiates may keep this site's one exchange busy for half of the time, and so long at once after a quiet time. */
export const SHARE = { part: 0.5, burstMs: 10_000 } as const
/** An exchange that fails costs its initiator this many times its duration, at least a second; a line that breaks costs what it took. */
const FAILURE = { factor: 4, leastMs: 1_000 }
/** Nobody waits longer than this for what has been: a line that was bad for hours may be good again. */
const LONGEST_WAIT_MS = 120_000
/** What is beyond this many times what others need, and beyond this long, is time that a partner which was asked wastes. */
const SLOW = { factor: 4, leastMs: 2_000 }
/** So much of this site's time a partner may waste, and so long at once: a slow line holds it up now and then, a liar no oftener. */
const WASTE = { part: 0.1, burstMs: 20_000 } as const
/** Failures that cost this site time, as those in doubt do, while a cut line costs none. */
const COSTLY = new Set(['TimeoutError', 'ProtocolError'])
const MOST = 1024

interface WasteAccount {
  /** Milliseconds that it may still waste; below 0 it is not asked. */
  balance: number
  at: number
  /** Of its last exchange that this site began, milliseconds. */
  tookMs?: number
  /** When that ended. */
  goodAt?: number
}

interface TimeAccount {
  /** Milliseconds that it may still use; below 0 it waits. */
  balance: number
  at: number
  /** When its running exchange was accepted; undefined while it has none. */
  since?: number | undefined
}

interface FairShareInit {
  /** What a partner is counted by, whatever key it has at present; itself when missing. */
  readonly rootOf?: (partner: string) => string
  /** Told when a partner that this site asks has wasted more than its share; milliseconds. */
  readonly onSlow?: (partner: string, tookMs: number, usualMs: number | undefined) => void
}

/** Keeps one partner from holding the only exchange of a site: by stalling, by exchanging without end, or by answering slowly. */
export class FairShare {
  readonly #now: () => number
  readonly #rootOf: (partner: string) => string
  readonly #onSlow: NonNullable<FairShareInit['onSlow']>
  readonly #accounts = new LRUCache<string, TimeAccount>({ max: MOST })
  /** Of partners that this site asks. */
  readonly #wastes = new LRUCache<string, WasteAccount>({ max: MOST })

  constructor (now: () => number, { rootOf = (partner) => partner, onSlow = () => {} }: FairShareInit = {}) {
    this.#now = now
    this.#rootOf = rootOf
    this.#onSlow = onSlow
  }

  /** Milliseconds until this site should ask this partner again. */
  waitMs (partner: string): number {
    const account = this.#wastes.get(this.#rootOf(partner))
    return account == null ? 0 : Math.max(0, -this.#settled(account).balance / WASTE.part)
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
    service.addEventListener('exchange', ({ detail: { partner, role, durationMs } }) => {
      if (role === 'responder') this.#charge(partner, false)
      else this.#answered(partner, durationMs)
    })
    service.addEventListener('failure', ({ detail: { partner, role, durationMs, reason, inDoubt } }) => {
      if (role === 'responder') this.#charge(partner, reason !== 'UnreachableError')
      else if (inDoubt || COSTLY.has(reason)) this.#waste(partner, durationMs, costOf(durationMs))
    })
  }

  #answered (partner: string, tookMs: number): void {
    const usualMs = this.#usualMs(partner)
    const account = this.#wasteAccount(partner)
    Object.assign(account, { tookMs, goodAt: this.#now() })
    // Nobody is slow where there is nobody to compare with.
    if (usualMs != null) this.#waste(partner, tookMs, Math.max(0, tookMs - Math.max(SLOW.leastMs, SLOW.factor * usualMs)))
  }

  #waste (partner: string, tookMs: number, wastedMs: number): void {
    const account = this.#wasteAccount(partner)
    const before = account.balance
    account.balance -= wastedMs
    // Where nobody else does better it is this site's line, or the only one there is.
    if (!this.#isBetterWithOthers(partner)) account.balance = Math.max(-LONGEST_WAIT_MS * WASTE.part, account.balance)
    if (before >= 0 && account.balance < 0) this.#onSlow(partner, tookMs, this.#usualMs(partner))
  }

  #isBetterWithOthers (partner: string): boolean {
    const own = this.#rootOf(partner)
    const since = this.#now() - LONGEST_WAIT_MS
    return [...this.#wastes].some(([root, { goodAt = -Infinity }]) => root !== own && goodAt > since)
  }

  /** The middle of what the others took last, the shorter of two. */
  #usualMs (partner: string): number | undefined {
    const own = this.#rootOf(partner)
    const others = [...this.#wastes].flatMap(([root, { tookMs }]) => root === own || tookMs == null ? [] : [tookMs])
    return others.sort((a, b) => a - b)[Math.floor((others.length - 1) / 2)]
  }

  #wasteAccount (partner: string): WasteAccount {
    const root = this.#rootOf(partner)
    const account = this.#wastes.get(root) ?? { balance: WASTE.burstMs, at: this.#now() }
    this.#wastes.set(root, account)
    return this.#settled(account)
  }

  #settled (account: WasteAccount): WasteAccount {
    const now = this.#now()
    account.balance = Math.min(WASTE.burstMs, account.balance + WASTE.part * (now - account.at))
    account.at = now
    return account
  }

  /** For the exchange that it held; a stream that never came to one has cost nothing. */
  #charge (partner: string, isItsFault: boolean): void {
    const account = this.#account(partner)
    if (account.since == null) return
    const used = Math.max(0, this.#now() - account.since)
    account.since = undefined
    account.balance = Math.max(-LONGEST_WAIT_MS * SHARE.part, account.balance - (isItsFault ? costOf(used) : used))
  }

  #account (partner: string): TimeAccount {
    const now = this.#now()
    const root = this.#rootOf(partner)
    const account = this.#accounts.get(root) ?? { balance: SHARE.burstMs, at: now }
    account.balance = Math.min(SHARE.burstMs, account.balance + SHARE.part * (now - account.at))
    account.at = now
    this.#accounts.set(root, account)
    return account
  }
}

function costOf (failedMs: number): number {
  return Math.max(FAILURE.leastMs, FAILURE.factor * failedMs)
}
