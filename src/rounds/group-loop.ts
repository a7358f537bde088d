import { createHash } from 'node:crypto'
import { RefusedError } from '../errors.ts'
import type { Sealing } from '../gossip-aggregation/groups/sealing.ts'
import type { Steps } from '../gossip-aggregation/unmixed.ts'
import type { Clock } from './clock.ts'
import type { PeerTable } from './peer-table.ts'

/** Invites these, and resolves when the group is committed; tells who does not take part, and why. */
export type LeadGroup = (invited: readonly string[], onDeclined: (member: string, reason: string) => void) => Promise<void>

export interface GroupLoopInit {
  readonly sealing: Pick<Sealing, 'isFresh' | 'isOpen' | 'secure'>
  readonly peers: Pick<PeerTable, 'candidates' | 'trainingOf' | 'unfinished'>
  /** Of this site. */
  readonly steps: () => Pick<Steps, 'trained'>
  readonly self: string
  readonly federationId: string
  readonly lead: LeadGroup
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** One that broke off. */
  readonly onFailure?: (error: Error) => void
}

interface Ready {
  readonly id: string
  readonly trained: number
}

const TICK_MS = 200
const POLL_MS = 100
/** A full group waits so long for those who may still join it, and a small one for it to become full. */
const FULL_MS = 1_000
const SMALL_MS = 4_000
/** So long where those who are not ready yet would be too few for a group of their own. */
const LEFT_OVER_MS = 6_000
/** Whoever should lead and does not is waited for so long. */
const TURN_MS = 3_000
const RETRY_MS = 1_000
/** One that could not be reached, is in another group, or is still writing down what it says that it trained. */
const LEFT_ALONE_MS = 5_000
/** After so many times with the same training it has been seen in a group that broke off, and waits for new training. */
const NOT_READY_TIMES = 3

const FOR_GOOD = ['SCHEMA', 'NOT_MEMBER']

interface Declined {
  readonly trained: number
  readonly until: number
  readonly times: number
}

/**
 * Brings sites that have something to carry together in groups. All who know the same of each other see the same groups and the same
 * leaders; where they do not, somebody is busy or not ready, and the next group is another one.
 */
export class GroupLoop {
  readonly #init: GroupLoopInit
  readonly #declined = new Map<string, Declined>()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  /** When there were enough for a group, and this site had something to carry. */
  #able: number | undefined
  #notBefore = 0
  #trouble: string | undefined

  constructor (init: GroupLoopInit) {
    this.#init = init
  }

  /** Rejects only with what no group should throw. */
  start (): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  async stop (): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** In words, why no group came about lately; undefined after one that did. */
  get trouble (): string | undefined {
    return this.#trouble
  }

  /** There is something to carry and enough others may have, now or in a moment, or a run is open. */
  get mayCarry (): boolean {
    const { sealing, peers } = this.#init
    const soon = new Set([...this.#fresh().filter(({ id }) => !this.#isLeftAlone(id, Infinity)).map(({ id }) => id), ...peers.unfinished()])
    return sealing.isOpen || (sealing.isFresh && soon.size + 1 >= sealing.secure.minimum)
  }

  /** Until a group has carried what this site trained, or none can; no longer. */
  async wait ({ withinMs, signal }: { withinMs: number, signal: AbortSignal }): Promise<void> {
    const { clock } = this.#init
    const until = clock.now() + withinMs
    while (this.mayCarry && clock.now() < until) await clock.sleep(POLL_MS, signal)
  }

  async #run (): Promise<void> {
    const { clock } = this.#init
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#turn()
      await clock.sleep(TICK_MS, signal).catch(() => { /* stopped */ })
    }
  }

  async #turn (): Promise<void> {
    const { sealing, clock, self } = this.#init
    if (!sealing.isFresh) {
      if (!sealing.isOpen) this.#able = undefined
      return
    }
    const group = this.#group()
    if (group.length < sealing.secure.minimum) {
      this.#able = undefined
      this.#trouble = `no group of at least ${sealing.secure.minimum} sites came about`
      return
    }
    this.#able ??= clock.now()
    const dueAt = this.#able + this.#patience(group) + TURN_MS * group.indexOf(self)
    if (clock.now() < Math.max(this.#notBefore, dueAt)) return
    await this.#lead(group.filter((id) => id !== self))
  }

  #patience (group: readonly string[]): number {
    const { size, minimum } = this.#init.sealing.secure
    const left = this.#others.filter((id) => !group.includes(id) && !this.#isLeftAlone(id)).length
    if (left === 0) return 0
    if (left < minimum) return LEFT_OVER_MS
    return group.length < size ? SMALL_MS : FULL_MS
  }

  async #lead (invited: readonly string[]): Promise<void> {
    const { lead, clock, random, onFailure } = this.#init
    const trainedBy = new Map(this.#ready().map(({ id, trained }) => [id, trained]))
    try {
      await lead(invited, (id, reason) => { this.#leaveAlone(id, trainedBy.get(id) ?? 0, reason) })
      this.#trouble = undefined
    } catch (error) {
      this.#trouble = error instanceof RefusedError ? 'too few sites were ready for a group' : 'groups broke off'
      if (!(error instanceof RefusedError)) onFailure?.(error as Error)
    }
    this.#able = undefined
    this.#notBefore = clock.now() + (0.5 + random()) * RETRY_MS
  }

  #leaveAlone (id: string, trained: number, reason: string): void {
    const before = this.#declined.get(id)
    const times = reason !== 'NOT_READY' ? 0 : 1 + (before?.trained === trained ? before.times : 0)
    const isForGood = times >= NOT_READY_TIMES || FOR_GOOD.includes(reason)
    this.#declined.set(id, { trained, until: isForGood ? Infinity : this.#init.clock.now() + LEFT_ALONE_MS, times })
  }

  /** Who else may have something to carry in this round: those who have, and those who still train. */
  get #others (): string[] {
    const { peers } = this.#init
    const there = new Set(peers.candidates())
    return [...new Set([...this.#ready().map(({ id }) => id), ...peers.unfinished().filter((id) => there.has(id))])]
  }

  #ready (): Ready[] {
    return this.#fresh().filter(({ id }) => !this.#isLeftAlone(id))
  }

  /** Those who say that they have something to carry. */
  #fresh (): Ready[] {
    const { peers } = this.#init
    return peers.candidates().flatMap((id) => {
      const { steps } = peers.trainingOf(id)
      return steps == null || steps.trained <= steps.arrived ? [] : [{ id, trained: steps.trained }]
    })
  }

  /** Until `at` or longer, with what it has trained. */
  #isLeftAlone (id: string, at = this.#init.clock.now() + 1): boolean {
    const declined = this.#declined.get(id)
    return declined != null && declined.until >= at && declined.trained === (this.#init.peers.trainingOf(id).steps?.trained ?? 0)
  }

  /** This site's own, the leader first: all that are ready in an order that nobody chose, cut into groups. */
  #group (): string[] {
    const { self, steps, federationId, sealing: { secure } } = this.#init
    const order = [...this.#ready(), { id: self, trained: steps().trained }]
      .map(({ id, trained }) => ({ id, at: createHash('sha256').update(`${federationId} ${id} ${trained}`).digest('hex') }))
      .sort((a, b) => a.at < b.at ? -1 : 1).map(({ id }) => id)
    const groups = Math.max(1, Math.floor(order.length / secure.size) + (order.length % secure.size >= secure.minimum ? 1 : 0))
    const place = Math.min(groups - 1, Math.floor(order.indexOf(self) / secure.size))
    return place === groups - 1 ? order.slice(place * secure.size) : order.slice(place * secure.size, (place + 1) * secure.size)
  }
}
