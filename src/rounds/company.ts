import type { Clock } from './clock.ts'
import type { ExchangeLoop } from './exchange-loop.ts'
import type { Notices } from './notices.ts'
import type { PeerTable } from './peer-table.ts'

export interface CompanyInit {
  readonly gossip: Pick<ExchangeLoop, 'initiate' | 'trouble'>
  readonly peers: Pick<PeerTable, 'candidates' | 'haveLeft'>
  readonly notices: Pick<Notices, 'warn' | 'over'>
  readonly clock: Clock
  /** Exchanges so far, whoever began them. */
  readonly exchanges: () => number
  /** Rounds that may pass without an exchange. */
  readonly aloneRounds: number
  /** Of the federation. */
  readonly rounds: number
  /** Exchanges in each finished round; rounds at the end without any count, over restarts too. */
  readonly before?: readonly number[]
}

interface Waiting {
  /** Told once, where it has to wait. */
  readonly onWaiting: () => void
  /** Takes over what the others have, where this site has fallen far behind. */
  readonly catchUp: () => Promise<void>
  readonly signal: AbortSignal
}

const POLL_MS = 1_000

/** Keeps a site from training on by itself while it has no others: what it learns then would be no common model. */
export class Company {
  readonly #init: CompanyInit
  #lonely: number

  constructor (init: CompanyInit) {
    this.#init = init
    const { before = [] } = init
    this.#lonely = before.length - 1 - before.findLastIndex((count) => count > 0)
  }

  /** After a round. */
  ended (exchanges: number): void {
    this.#lonely = exchanges > 0 ? 0 : this.#lonely + 1
  }

  /** Before a round: returns once this site is not alone, unless it has been so for a few rounds only or all others have finished. */
  async beforeRound (waiting: Waiting): Promise<void> {
    if (this.#lonely >= this.#init.aloneRounds) await this.#wait(waiting)
  }

  /** After the last round: what was trained since the last exchange is for the others, too, unless this site may be alone all along. */
  async atEnd (waiting: Waiting): Promise<void> {
    if (this.#lonely > 0 && this.#init.aloneRounds < this.#init.rounds) await this.#wait(waiting)
  }

  async #wait ({ onWaiting, catchUp, signal }: Waiting): Promise<void> {
    const { gossip, peers, notices, clock, exchanges } = this.#init
    const before = exchanges()
    const isOver = (): boolean => exchanges() > before || peers.haveLeft()
    if (isOver()) return
    onWaiting()
    for (let isNews = true; !isOver(); isNews = false) {
      notices.warn('alone', this.#sentence(), { isNews })
      if (peers.candidates().length > 0) {
        await catchUp()
        await gossip.initiate({ count: 1, withinMs: POLL_MS, signal })
      }
      if (!isOver()) await clock.sleep(POLL_MS, signal)
    }
    this.#lonely = 0
    const why = peers.haveLeft() ? 'all other sites have finished and left' : 'another site is there'
    notices.over('alone', `${why}: training goes on`)
  }

  #sentence (): string {
    const { gossip: { trouble = 'no exchange came about' } } = this.#init
    const rounds = this.#lonely === 1 ? 'the last round' : `the last ${this.#lonely} rounds`
    return `${trouble}, and ${rounds} passed without an exchange: training pauses, and goes on by itself when another site is there ` +
      '(start with --alone to finish without the others)'
  }
}
