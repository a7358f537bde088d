import { Displacements, middle, type DisplacedState } from './displacements.ts'

interface Account {
  /** What this partner may still move the site, in steps. */
  left: number
  /** How full the account was after its last exchanges, from 0 to 1; the last one counts most. */
  level: number
  hasPushed: boolean
  /** Counted in exchanges. */
  at: number
}

/** What this site's own training moved it by, and its partners did; for a file. */
export interface InfluenceState {
  /** ‖last landing‖, as a whole round would have had it. */
  readonly step: number
  /** All that landed since others were met. */
  readonly alone: number
  /** None in homes of software before 0.3.0. */
  readonly partners?: {
    readonly seed: number
    /** The one met longest ago first. */
    readonly accounts: readonly AccountState[]
  } | undefined
}

interface AccountState extends DisplacedState, Pick<Account, 'left' | 'level' | 'hasPushed'> {
  readonly root: string
}

/** What an exchange with a partner did to this site. */
export interface Moved {
  /** ‖d‖ as it was applied, before it is shared out by mass. */
  readonly distance: number
  /** Of d as it was applied, by this site's own seed. */
  readonly sketch: Float64Array
  readonly isSettling: boolean
}

export interface InfluenceInit {
  /** What a partner is counted by, whatever key it has. */
  readonly rootOf: (partner: string) => string
  /** A whole number that nobody else knows: what a sketch does not show could be hidden from it. */
  readonly seed: number
}

/** No honest site is farther off than so many steps, but for one that was away (99.9 % are within 2: bench/attacks). */
const REACH = 3
/** Of a few partners nobody can tell who lies; they may be some rounds ahead, or the only ones whose training gets here. */
const REACH_OF_FEW = 6
const FEW = 4
/** Steps that a partner may move a site by at once. */
const MOST_LEFT = 2.5
/** And one that was never met: all start from the same adapter, and many of whom each has a little move a site far. */
const FIRST_LEFT = 1.5
/** Partners met in so many exchanges share what is granted. */
const LATELY = 64
/** More are forgotten, the one met longest ago first. */
const REMEMBERED = 256
/** An account that stays this empty is that of somebody who takes all that is to be had. */
const EMPTY = 0.03
/** When nobody trains any more steps shrink, and honest sites' accounts came down to 0.031. */
const EMPTY_SETTLING = 0.01
const WEIGHT_OF_LAST = 0.15
/** Of six partners and more at most a third are named: where more take too much, it is this site that is apart. */
const LEAST_TO_NAME = 6
/** And so full must the middle one of all accounts be. */
const HEALTHY = 0.45
/** A partner that leads this site as many times as far as the middle one may not lead it farther; of few the middle one is chance. */
const MOST_EXCESS = 2
const MOST_EXCESS_OF_FEW = 3
/**
 * No honest partner pulls the same way so much, and farther than others, in so many exchanges and more, where these pull no more than that:
 * 0.96 at most was seen in simulated training, in real one 0.58 (docs/SECURITY.md#small-steady-lies).
 */
const ALIGNED = [{ most: 0.8, known: 6, others: 0.5, count: largestOfFew }, { most: 0.965, known: 5, others: 0.8, count: middle }]
const LEADS = 1.5
const MOST_NAMED = 1 / 3
/** Whoever was named is granted this much of what the others are, and its account holds no more than as much of theirs. */
const NAMED_SHARE = 0.1
/** Nobody trains any more: after each exchange the sites are this much closer, give or take. */
const SETTLING = 0.9

/**
 * What each partner may move this site, exchange by exchange and in the long run, in units of what a round of its own training moves it
 * (docs/spec/gossip.md#influence). Partners are counted by the root of their certificates. No distance sets it, so that no partner can
 * widen it; and an account is filled by exchanges with the others, so that who comes more often gains nothing.
 */
export class Influence {
  readonly seed: number
  readonly #rootOf: (partner: string) => string
  readonly #accounts = new Map<string, Account>()
  readonly #displacements = new Displacements()
  #exchanges = 0
  #step: number
  #alone: number
  #mostSteps = 0

  constructor ({ rootOf, seed }: InfluenceInit, state?: InfluenceState) {
    this.#rootOf = rootOf
    this.#step = state?.step ?? 0
    this.#alone = state?.alone ?? 0
    this.seed = state?.partners?.seed ?? seed
    for (const { root, left, level, hasPushed, ...displaced } of state?.partners?.accounts ?? []) {
      this.#accounts.set(root, { left, level, hasPushed, at: 0 })
      this.#displacements.restore(root, displaced)
    }
  }

  get state (): InfluenceState {
    const accounts = this.#active.flatMap((root) => {
      const { left, level, hasPushed } = this.#accounts.get(root)!
      const displaced = this.#displacements.state(root)
      return displaced == null ? [] : [{ root, left, level, hasPushed, ...displaced }]
    })
    return { step: this.#step, alone: this.#alone, partners: { seed: this.seed, accounts } }
  }

  /** The largest ‖d‖ for a partner of which nothing else is known; Infinity before this site has trained. */
  get reach (): number {
    return this.#scale === 0 ? Infinity : this.#scale * (this.#active.length < FEW ? REACH_OF_FEW : REACH)
  }

  /** The largest ‖d‖ of the next exchange with this partner; never 0, which no site may state. */
  radius (partner: string): number {
    if (this.#scale === 0 || this.#active.length < FEW) return this.reach
    const root = this.#rootOf(partner)
    const left = Math.min(this.#accounts.get(root)?.left ?? FIRST_LEFT, MOST_LEFT * this.#openness(root))
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
    this.#displacements.fade()
  }

  /** An exchange with this partner is committed: ‖d‖ as it was applied. */
  moved (partner: string, { distance, sketch, isSettling }: Moved): void {
    this.#exchanges++
    const scale = this.#scale
    this.#alone /= 2
    if (isSettling) {
      this.#step *= SETTLING
      this.#displacements.fade()
    }
    if (scale === 0) return
    const root = this.#rootOf(partner)
    this.#grant(Math.min(1, distance / scale), root)
    const account = this.#accounts.get(root) ?? { left: FIRST_LEFT, level: 1, hasPushed: false, at: 0 }
    account.left = Math.max(0, account.left - distance / scale)
    account.level += WEIGHT_OF_LAST * (account.left / MOST_LEFT - account.level)
    account.at = this.#exchanges
    this.#accounts.delete(root)
    this.#accounts.set(root, account)
    this.#displacements.add(root, sketch, scale)
    if (this.#accounts.size > REMEMBERED) this.#forget(this.#accounts.keys().next().value!)
    this.#judge(root, account, isSettling ? EMPTY_SETTLING : EMPTY)
  }

  get #scale (): number {
    return Math.max(this.#step, this.#alone)
  }

  /** Roots of partners that were met lately, the one met longest ago first. */
  get #active (): string[] {
    return [...this.#accounts].flatMap(([root, { at }]) => at > this.#exchanges - LATELY ? [root] : [])
  }

  /** From 1 down to 0, the farther this partner has led this site away from where the others do. */
  #openness (root: string): number {
    const active = this.#active
    const most = active.length < LEAST_TO_NAME ? MOST_EXCESS_OF_FEW : MOST_EXCESS
    return Math.max(0, 1 - this.#displacements.excess(root, active) / most)
  }

  #forget (root: string): void {
    this.#accounts.delete(root)
    this.#displacements.forget(root)
  }

  /** What one partner moves, or own training, is shared by all others. */
  #grant (moved: number, exceptTo?: string): void {
    const others = this.#active.length - (exceptTo == null ? 0 : 1)
    const share = moved / Math.max(1, others)
    for (const [root, account] of this.#accounts) {
      const named = account.hasPushed ? NAMED_SHARE : 1
      if (root !== exceptTo) account.left = Math.min(named * MOST_LEFT, account.left + named * share)
    }
  }

  #judge (root: string, account: Account, empty: number): void {
    if (account.hasPushed) return
    const active = this.#active
    const accounts = active.map((each) => this.#accounts.get(each)!)
    const named = accounts.filter(({ hasPushed }) => hasPushed).length
    if (named + 1 > MOST_NAMED * active.length) return
    const isEmpty = account.level < empty && active.length >= LEAST_TO_NAME && middle(accounts.map(({ level }) => level)) >= HEALTHY
    account.hasPushed = isEmpty || (active.length >= FEW && this.#isAligned(root, active))
  }

  #isAligned (root: string, active: readonly string[]): boolean {
    const displacements = this.#displacements
    if (displacements.excess(root, active) < LEADS) return false
    const [own, met] = [displacements.alignment(root), displacements.known(root)]
    const usual = active.filter((each) => each !== root).map((each) => displacements.alignment(each))
    return ALIGNED.some(({ most, known, others, count }) => own >= most && met >= known && count(usual) <= others)
  }
}

/** Of few the middle one is chance. */
function largestOfFew (values: number[]): number {
  return values.length + 1 < LEAST_TO_NAME ? Math.max(...values) : middle(values)
}
