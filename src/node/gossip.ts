import { RefusedError } from '../errors.ts'
import { BackOff, nextReady, randomPartner } from '../gossip-aggregation/partner-choice.ts'
import type { Clock } from './clock.ts'
import type { Notices } from './notices.ts'
import type { PeerTable } from './peer-table.ts'

/** Exchanges with one partner; resolves when the exchange is committed. */
export type Exchange = (partner: string, options: { signal: AbortSignal }) => Promise<{ readonly clipped: boolean }>

export interface GossipInit {
  readonly exchange: Exchange
  readonly peers: PeerTable
  readonly notices: Notices
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
}

const SHORTEST_WAIT_MS = 20
const LONGEST_WAIT_MS = 500
// After a refusal that no time was given for.
const STALE_MS = 2_000
const PAUSED_MS = 1_000
const BUSY_HERE_MS = 50

/** Initiates exchanges with random partners; others' offers are served elsewhere at any time. */
export class Gossip {
  readonly #init: GossipInit
  readonly #backOff = new BackOff()

  constructor (init: GossipInit) {
    this.#init = init
  }

  /**
   * Initiates until `count` exchanges are committed, nobody is there, or `withinMs` have passed; returns how many were.
   * A site that is alone says so once and does not wait.
   */
  async initiate ({ count, withinMs, signal }: { count: number, withinMs: number, signal: AbortSignal }): Promise<number> {
    const { peers, clock, notices, random } = this.#init
    const until = clock.now() + withinMs
    let committed = 0
    while (committed < count && clock.now() < until) {
      signal.throwIfAborted()
      const view = { candidates: peers.candidates(), backOff: this.#backOff, now: clock.now(), random }
      const partner = randomPartner(view)
      if (partner != null) {
        if (await this.#exchange(partner, signal)) committed++
        continue
      }
      if (view.candidates.length === 0 && !peers.expectsSomebody()) {
        notices.warn('alone', 'no other site can be reached: training goes on alone, and exchanges resume when one is there')
        break
      }
      await clock.sleep(waitMs(nextReady(view), view.now), signal)
    }
    return committed
  }

  async #exchange (partner: string, signal: AbortSignal): Promise<boolean> {
    const { exchange, clock, notices } = this.#init
    try {
      const { clipped } = await exchange(partner, { signal })
      this.#backOff.succeeded(partner, { clipped })
      notices.over('alone', 'another site is there: exchanges resume')
      if (this.#backOff.isSuspect(partner)) notices.warn(`clipped ${partner}`, `the adapter of site ${partner} was clipped three times running: it is asked last from now on`)
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof RefusedError) await this.#refused(partner, error, signal)
      else this.#backOff.failed(partner, clock.now())
      return false
    }
  }

  async #refused (partner: string, { reason, retryAfterMs }: RefusedError, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#init
    // The time differs from site to site, or two that met would meet again and again.
    const spread = 0.5 + random()
    switch (reason) {
      case 'SCHEMA': this.foreign(partner); break
      case 'STALE': this.#backOff.refused(partner, clock.now(), STALE_MS); break
      case 'PAUSED': this.#backOff.refused(partner, clock.now(), Math.max(retryAfterMs, PAUSED_MS)); break
      case 'BUSY_HERE': case 'YIELDED': case 'PAUSED_HERE': await clock.sleep(BUSY_HERE_MS * spread, signal); break
      default: this.#backOff.refused(partner, clock.now(), Math.max(retryAfterMs, BUSY_HERE_MS) * spread)
    }
  }

  /** A site with another schema: left out and reported once. */
  foreign (partner: string): void {
    this.#init.peers.markForeign(partner)
    this.#init.notices.warn(`schema ${partner}`, `site ${partner} trains another model or base: its adapter is never averaged; let both sites use the federation's version`)
  }
}

function waitMs (readyAt: number | undefined, now: number): number {
  return Math.min(Math.max((readyAt ?? Infinity) - now, SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
}
