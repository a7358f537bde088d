interface Account {
  /** What this partner may still move the site, in steps. */
  left: number
  /** How full the account was after its last exchanges, from 0 to 1; the last one counts most. */
  level: number
  hasPushed: boolean
  /** Counted in exchanges. */
  at: number
}

/** What this site's own training moved it by. */
export interface OwnTraining {
  /** ‖last landing‖, as a whole round would have had it. */
  readonly step: number
  /** All that landed since others were met. */
  readonly alone: number
}

/** No honest site is farther off than so many steps, but for one that was away (99.9 % are within 2: bench/attacks). */
const REACH = 3
/** Of a few partners nobody can tell who lies; they may be some rounds ahead, or the only ones whose training gets here. */
const REACH_OF_FEW = 12
const FEW = 4
/** Steps that a partner may move a site by at once. */
const MOST_LEFT = 2.5
/** Partners met in so many exchanges share what is granted. */
const LATELY = 64
/** More are forgotten, the one met longest ago first. */
const REMEMBERED = 256
/** An account that stays this empty is that of somebody who takes all that is to be had. */
const EMPTY = 0.03
const WEIGHT_OF_LAST = 0.15
/** Of six partners and more at most a third are named: where more take too much, it is this site that is apart. */
const LEAST_TO_NAME = 6
/** And so full must the middle one of all accounts be. */
const HEALTHY = 0.45
const MOST_NAMED = 1 / 3
/** Whoever was named is granted this much of what the others are. */
const NAMED_SHARE = 0.1
/** Nobody trains any more: after each exchange the sites are this much closer, give or take. */
const SETTLING = 0.9

/**
 * What each partner may move this site, exchange by exchange and in the long run, in units of what a round of its own training moves it
 * (docs/spec/gossip.md#influence). Partners are counted by the root of their certificates. No distance sets it, so that no partner can
 * widen it; and an account is filled by exchanges with the others, so that who comes more often gains nothing.
 */
export class Influence {
  readonly #rootOf: (partner: string) => string
  readonly #accounts = new Map<string, Account>()
  #exchanges = 0
  #step: number
  #alone: number
  #mostSteps = 0

  constructor (rootOf: (partner: string) => string, own?: OwnTraining) {
    this.#rootOf = rootOf
    this.#step = own?.step ?? 0
    this.#alone = own?.alone ?? 0
  }

  get own (): OwnTraining {
    return { step: this.#step, alone: this.#alone }
  }

  /** The largest ‖d‖ for a partner of which nothing else is known; Infinity before this site has trained. */
  get reach (): number {
    return this.#scale === 0 ? Infinity : this.#scale * (this.#active.length < FEW ? REACH_OF_FEW : REACH)
  }

  /** The largest ‖d‖ of the next exchange with this partner; never 0, which no site may state. */
  radius (partner: string): number {
    if (this.#scale === 0 || this.#active.length < FEW) return this.reach
    const left = this.#accounts.get(this.#rootOf(partner))?.left ?? MOST_LEFT
    return Math.min(this.reach, this.#scale * Math.max(left, Number.EPSILON))
  }

  /** It took all that was to be had, again and again. */
  hasPushed (partner: string): boolean {
    return this.#accounts.get(this.#rootOf(partner))?.hasPushed ?? false
  }

  /** Own training of so many optimiser steps moved x by this much. */
  landed (norm: number, steps: number): void {
    this.#mostSteps = Math.max(this.#mostSteps, steps)
    const whole = steps > 0 ? norm * this.#mostSteps / steps : norm
    this.#step = Math.max(whole, this.#step / 2)
    this.#alone += norm
    this.#grant(1)
  }

  /** An exchange with this partner is committed: ‖d‖ as it was applied. */
  moved (partner: string, distance: number, isSettling: boolean): void {
    this.#exchanges++
    const scale = this.#scale
    this.#alone /= 2
    if (isSettling) this.#step *= SETTLING
    if (scale === 0) return
    const root = this.#rootOf(partner)
    this.#grant(Math.min(1, distance / scale), root)
    const account = this.#accounts.get(root) ?? { left: MOST_LEFT, level: 1, hasPushed: false, at: 0 }
    account.left = Math.max(0, account.left - distance / scale)
    account.level += WEIGHT_OF_LAST * (account.left / MOST_LEFT - account.level)
    account.at = this.#exchanges
    this.#accounts.delete(root)
    this.#accounts.set(root, account)
    if (this.#accounts.size > REMEMBERED) this.#accounts.delete(this.#accounts.keys().next().value!)
    this.#judge(account)
  }

  get #scale (): number {
    return Math.max(this.#step, this.#alone)
  }

  /** Accounts of partners that were met lately. */
  get #active (): Account[] {
    return [...this.#accounts.values()].filter(({ at }) => at > this.#exchanges - LATELY)
  }

  /** What one partner moves, or own training, is shared by all others. */
  #grant (moved: number, exceptTo?: string): void {
    const others = this.#active.length - (exceptTo == null ? 0 : 1)
    const share = moved / Math.max(1, others)
    for (const [root, account] of this.#accounts) {
      if (root !== exceptTo) account.left = Math.min(MOST_LEFT, account.left + share * (account.hasPushed ? NAMED_SHARE : 1))
    }
  }

  #judge (account: Account): void {
    if (account.level >= EMPTY || account.hasPushed) return
    const active = this.#active
    const named = active.filter(({ hasPushed }) => hasPushed).length
    const usual = active.map(({ level }) => level).sort((a, b) => a - b)[active.length >> 1]!
    account.hasPushed = active.length >= LEAST_TO_NAME && named + 1 <= MOST_NAMED * active.length && usual >= HEALTHY
  }
}
