import { RefusedError } from '../errors.ts'
import type { Averager } from '../gossip-aggregation/averager.ts'
import { BackOff } from '../gossip-aggregation/back-off.ts'
import { agreedPartner, agreedSteps, choosePartner, nextReady, type PartnerRule, type View } from '../gossip-aggregation/partner-choice.ts'
import type { Clock } from './clock.ts'
import { LAPSE_MS, type Notices } from './notices.ts'
import type { PeerTable } from './peer-table.ts'

interface Exchanged {
  readonly excess: number
  /** Only a part of what is between the two was taken over. */
  readonly clipped?: boolean
}

/** Exchanges with one partner; resolves when the exchange is committed. */
export type ExchangeWith = (
  partner: string,
  options: { signal: AbortSignal, catchUp?: boolean, upTo?: number | undefined }
) => Promise<Exchanged>

export interface ExchangeLoopInit {
  readonly exchange: ExchangeWith
  readonly peers: Pick<PeerTable, 'candidates' | 'expectsSomebody' | 'markForeign'> & Partial<Pick<PeerTable, 'landings'>>
  readonly notices: Pick<Notices, 'warn' | 'over'>
  readonly clock: Clock
  /** Told when nobody trains any more, and when somebody does again. */
  readonly averager?: Pick<Averager, 'isSettling'> & Partial<Pick<Averager, 'hasPushed'>>
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Random when missing. */
  readonly partner?: Choice
}

type Extent = 'whole' | 'part'

/** The federation's rule, and what it looks at besides the candidates. */
interface Choice extends Pick<View, 'distance'> {
  readonly rule: PartnerRule
  readonly self: string
  /** Sorted ids of all known sites, with this one. */
  readonly ring: () => readonly string[]
  /** The same of the sites of this site's cluster alone, where the method has clusters, and it knows its own. */
  readonly cluster?: (() => readonly string[] | undefined) | undefined
  /** How readily this site asks others at present, reckoned once for a choice. */
  readonly weight?: (() => View['weight']) | undefined
  /** Agreed step of the next initiation; those that follow while it stays the same count on from it. */
  readonly step: () => number
  /** Sites train each at its own pace, and keep the agreed steps in a sweep only. */
  readonly isOutOfStep?: boolean
}

interface Initiating {
  readonly count: number
  readonly had?: number
  readonly onlyDue?: boolean
  readonly withinMs: number
  readonly signal: AbortSignal
}

const SHORTEST_WAIT_MS = 20
const LONGEST_WAIT_MS = 500
// After a refusal that no time was given for.
const STALE_MS = 2_000
const PAUSED_MS = 1_000
const BUSY_HERE_MS = 50
// Between two steps of a sweep, so that a site that hears of its beginning a little later keeps up.
const STEP_MS = 300
// One step of it waits no longer for somebody to be free.
const STEP_WAIT_MS = 10_000

/** Initiates exchanges with partners chosen by the federation's rule; others' offers are served elsewhere at any time. */
export class ExchangeLoop {
  readonly #init: ExchangeLoopInit
  readonly #backOff = new BackOff()
  /** Who exchanged with this site of their own accord in the present step, under the rule `exponential`. */
  readonly #met = new Set<string>()
  /** Exchanges that others began since this site trained last. */
  #served = 0
  /** With whom this site exchanged last, while it has not trained since: another exchange would change next to nothing. */
  #even: string | undefined
  /** Others' landings when this site exchanged last. */
  #landings = 0
  #isSweeping = false
  /** Of a sweep within the cluster, which comes after that among all. */
  #isWithin = false
  #base = 0
  #sinceBase = 0
  #trouble: string | undefined

  constructor (init: ExchangeLoopInit) {
    this.#init = init
  }

  /**
   * Initiates until `count` exchanges are committed, nobody is there, or `withinMs` have passed; returns how many were. The `had` ones of
   * this round count too: those since this site's training landed as any, of those before it two as one; at least one carries the
   * training on. `onlyDue`: none before the others have trained about a round since this site's last exchange. A site that is alone says
   * so once and does not wait.
   */
  async initiate ({ count, had, onlyDue, withinMs, signal }: Initiating): Promise<number> {
    if (onlyDue === true && !this.#isDue()) return 0
    const { peers, clock, notices } = this.#init
    const until = clock.now() + withinMs
    let committed = had == null ? 0 : this.#counted(had, count)
    while (committed < count && clock.now() < until) {
      signal.throwIfAborted()
      const view = this.#view()
      const turn = this.#turn(view, signal)
      if (turn != null) {
        if (await turn != null) committed++
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

  /** A sweep is to come, from its first step: whoever is met from now on was met in it. */
  rewind (): void {
    const { partner, averager } = this.#init
    if (averager != null) averager.isSettling = false
    this.#met.clear()
    if (partner?.rule === 'exponential') this.#align(partner.ring())
  }

  /** The next step is the first in which the sites of this ring meet. */
  #align ({ length }: readonly string[]): void {
    const cycle = agreedSteps(length) + 1
    this.#sinceBase += cycle - this.#step() % cycle
  }

  /**
   * Nobody trains any more: as many exchanges as it takes to hear of all others, with the agreed partners in the agreed order where the
   * rule has them; where there are clusters, once more within the own one.
   */
  async sweep ({ withinMs, signal }: { withinMs: number, signal: AbortSignal }): Promise<void> {
    const { partner, peers, clock, averager } = this.#init
    const until = clock.now() + withinMs
    const sites = partner?.rule === 'exponential' ? partner.ring().length : peers.candidates().length + 1
    if (averager != null) averager.isSettling = true
    this.#isSweeping = true
    try {
      await this.#sweepAmong(sites, until, signal)
      const cluster = partner?.cluster?.() ?? []
      if (cluster.length < 2 || cluster.length >= sites) return
      this.#isWithin = true
      if (partner?.rule === 'exponential') this.#align(cluster)
      await this.#sweepAmong(cluster.length, until, signal)
    } finally {
      this.#isSweeping = false
      this.#isWithin = false
    }
  }

  async #sweepAmong (sites: number, until: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#init
    for (let step = 0; step < agreedSteps(sites) && clock.now() < until; step++) {
      if (step > 0 || this.#isWithin) await clock.sleep(STEP_MS, signal)
      await this.initiate({ count: 1, withinMs: Math.min(STEP_WAIT_MS, until - clock.now()), signal })
    }
  }

  /**
   * Takes x and round of one of these sites, which are far ahead, over, but no round later than `upTo`; undefined when none would within
   * the time. One that is too far off for its word alone is gone towards, and another is asked.
   */
  async catchUp (
    { ahead, upTo, withinMs, signal }: { ahead: () => readonly string[], upTo?: number, withinMs: number, signal: AbortSignal }
  ): Promise<string | undefined> {
    const { clock } = this.#init
    const until = clock.now() + withinMs
    while (clock.now() < until && ahead().length > 0) {
      signal.throwIfAborted()
      const view = { ...this.#view(), candidates: ahead() }
      const partner = choosePartner('random', { ...view, candidates: this.#alikeIn(view.candidates) }) ?? choosePartner('random', view)
      if (partner == null) await clock.sleep(waitMs(nextReady(view), view.now), signal)
      else {
        const extent = await this.#exchange(partner, signal, { catchUp: true, upTo })
        if (extent === 'whole') return partner
        if (extent === 'part') this.#sayFar(partner)
      }
    }
    return undefined
  }

  /** Those of the own cluster: what its sites alone average is taken over of no other. */
  #alikeIn (ids: readonly string[]): readonly string[] {
    const cluster = this.#init.partner?.cluster?.()
    return cluster == null ? ids : ids.filter((id) => cluster.includes(id))
  }

  #sayFar (partner: string): void {
    this.#init.notices.warn(
      `far ${partner}`,
      `the adapter of site ${partner} is farther off than the rounds between explain: this site did not take it over, and asks another`,
      { forMs: LAPSE_MS.minutes }
    )
  }

  /** A partner initiated and the exchange is committed: it tells as much about the partner as an own one. */
  served (partner: string, { excess }: { readonly excess: number }): void {
    this.#step()
    this.#succeeded(partner, excess)
    this.#served++
    if (this.#init.partner?.rule === 'exponential') this.#met.add(partner)
  }

  /** In words, why no exchange came about lately; undefined after one that did. */
  get trouble (): string | undefined {
    return this.#init.peers.candidates().length === 0 ? 'no other site can be reached' : this.#trouble
  }

  /** Partners whose differences were clipped again and again. */
  get suspects (): readonly string[] {
    return this.#backOff.suspects
  }

  #view (): View {
    const { peers, clock, random, partner } = this.#init
    const step = this.#step()
    // In a sweep the order counts.
    const even = this.#isSweeping ? undefined : this.#even
    const view = { candidates: peers.candidates(), backOff: this.#backOff, now: clock.now(), random, even }
    if (partner == null) return view
    const { self, distance, isOutOfStep = false } = partner
    const weight = partner.weight?.()
    const isInStep = partner.rule === 'exponential' && (this.#isSweeping || !isOutOfStep)
    return {
      ...view,
      self,
      ...(isInStep ? { ring: this.#ring(partner), step, isPatient: this.#isSweeping } : {}),
      ...(distance == null ? {} : { distance }),
      ...(weight == null ? {} : { weight })
    }
  }

  /** Whom agreed steps go through: in a sweep all sites first; else those of the own cluster, where there are clusters. */
  #ring ({ ring, cluster }: Choice): readonly string[] {
    return this.#isSweeping && !this.#isWithin ? ring() : cluster?.() ?? ring()
  }

  /** Others have landed training as often as there are others since this site's last exchange, whoever began it. */
  #isDue (): boolean {
    const { peers } = this.#init
    return (peers.landings ?? Infinity) - this.#landings >= peers.candidates().length
  }

  /** Whether this turn has had its exchange; undefined where nobody may be asked yet. */
  #turn (view: View, signal: AbortSignal): Promise<Extent | undefined> | undefined {
    if (this.#isMet(view)) {
      this.#sinceBase++
      return Promise.resolve('whole')
    }
    const partner = choosePartner(this.#init.partner?.rule ?? 'random', view)
    return partner == null ? undefined : this.#exchange(partner, signal)
  }

  #counted (had: number, count: number): number {
    this.#step()
    const counted = this.#served + Math.floor(Math.max(0, had - this.#served) / 2)
    return Math.min(counted, this.#served > 0 ? count : count - 1)
  }

  /** The agreed partner of this step was here already: once is enough. */
  #isMet (view: View): boolean {
    const agreed = agreedPartner(view)
    return agreed != null && this.#met.delete(agreed)
  }

  #step (): number {
    const base = this.#init.partner?.step() ?? 0
    if (base !== this.#base) {
      this.#base = base
      this.#sinceBase = 0
      this.#met.clear()
      this.#served = 0
      this.#even = undefined
    }
    return base + this.#sinceBase
  }

  #succeeded (partner: string, excess: number): void {
    this.#even = partner
    this.#landings = this.#init.peers.landings ?? 0
    this.#trouble = undefined
    this.#backOff.succeeded(partner, { excess })
    this.#init.notices.over('alone', 'another site is there: exchanges resume')
    this.#judge(partner)
  }

  #judge (partner: string): void {
    if (this.#init.averager?.hasPushed?.(partner) === true) {
      this.#backOff.pushed(partner)
      this.#init.notices.warn(
        `pushed ${partner}`,
        `site ${partner} moves this site's adapter by as much as it may, again and again: it is asked last from now on, and moves it less`
      )
      return
    }
    this.#init.notices.over(`pushed ${partner}`, `site ${partner} moves this site's adapter no more than others do`)
    if (this.#backOff.isSuspect(partner)) {
      this.#init.notices.warn(
        `clipped ${partner}`,
        `the adapter of site ${partner} was clipped again and again, being much farther off than the others: it is asked last from now on`
      )
    } else this.#init.notices.over(`clipped ${partner}`, `the adapter of site ${partner} is as near as the others' again`)
  }

  async #exchange (
    partner: string,
    signal: AbortSignal,
    how: { catchUp?: boolean, upTo?: number | undefined } = {}
  ): Promise<Extent | undefined> {
    const { exchange, clock } = this.#init
    try {
      const { excess, clipped = false } = await exchange(partner, { signal, ...how })
      this.#succeeded(partner, excess)
      this.#sinceBase++
      return clipped ? 'part' : 'whole'
    } catch (error) {
      signal.throwIfAborted()
      this.#trouble = inWords(error)
      if (error instanceof RefusedError) await this.#refused(partner, error, signal)
      else this.#backOff.failed(partner, clock.now())
      return undefined
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
    this.#init.notices.warn(
      `schema ${partner}`,
      `site ${partner} trains another model or base: its adapter is never averaged; let both sites use the federation's version`
    )
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  STALE: 'this site and the others are too many rounds apart',
  PAUSED: 'the others do not exchange at present',
  SCHEMA: 'the others train another model',
  NOT_MEMBER: "the others do not accept this site's certificate",
  RATE_LIMITED: 'the others say that this site asks too often'
}

function inWords (error: unknown): string {
  if (error instanceof RefusedError) return REFUSALS[error.reason] ?? 'the others are busy with other exchanges'
  return `exchanges broke off (${(error as Error).name})`
}

function waitMs (readyAt: number | undefined, now: number): number {
  return Math.min(Math.max((readyAt ?? Infinity) - now, SHORTEST_WAIT_MS), LONGEST_WAIT_MS)
}
