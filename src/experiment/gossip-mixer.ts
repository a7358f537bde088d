import type { Schema } from '../adapter/schema.ts'
import { seededRandom } from '../common/random.ts'
import { Averager } from '../gossip-aggregation/averager.ts'
import { relativeDistance } from '../gossip-aggregation/consensus.ts'
import { rangesOf } from '../gossip-aggregation/exchange/scope.ts'
import { land, type Landing } from '../gossip-aggregation/landing.ts'
import { turnsPerInitiation } from '../gossip-aggregation/partner-choice.ts'
import { ExchangeLoop } from '../rounds/exchange-loop.ts'
import { GroupLoop } from '../rounds/group-loop.ts'
import type { SiteClusters } from '../rounds/site-clusters.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import { sealedOf } from '../settings/secure.ts'
import { VirtualClock } from '../simulation/virtual-clock.ts'
import { VirtualNetwork } from '../simulation/virtual-network.ts'
import type { VirtualSite } from '../simulation/virtual-site.ts'
import type { Mixer } from './mixers.ts'

/** Where the method has clusters: what each site takes for its own, by what all announce. */
export interface GossipClusters {
  /** Patterns of what sites of one cluster alone average. */
  readonly own: readonly string[]
  readonly of: (index: number, idOf: (index: number) => string) => SiteClusters
}

interface GossipMixerInit {
  readonly schema: Schema
  /** Γ at the start, the same at all sites. */
  readonly initial: Float32Array
  readonly masses: readonly number[]
  readonly averaging: FederationSettings['averaging']
  readonly seed: number
  readonly clusters?: GossipClusters | undefined
  /** Where the federation promises privacy to its sites. */
  readonly hide?: Landing['hide']
}

const SILENT = { warn: () => {}, over: () => {} }
const FOR_EVER = new AbortController().signal
/** Mean virtual milliseconds that a message takes. */
const DELAY_MS = 20
/** Sites do not end phase G at the same moment: virtual milliseconds between the first and the last. */
const SPREAD_MS = 400
const WITHIN_MS = 20_000
const STEP_MS = 1_000
/** Exchanges per site after the last round, at most. */
const MOST_COOLING = 12
const STREAM = { network: 0, starts: 1, gossip: 2 } as const

/** The daemon's own averager and gossip loop on a virtual clock and wires; only rounds are in step. */
export class GossipMixer implements Mixer {
  readonly #init: GossipMixerInit
  readonly #clock = new VirtualClock()
  readonly #network: VirtualNetwork
  readonly #starts: () => number
  readonly #sites: readonly VirtualSite[]

  constructor (init: GossipMixerInit) {
    this.#init = init
    this.#network = new VirtualNetwork({ clock: this.#clock, random: seededRandom(init.seed, STREAM.network), loss: 0, delay: DELAY_MS })
    this.#starts = seededRandom(init.seed, STREAM.starts)
    this.#sites = init.masses.map((mass, index) => this.#createSite(mass, index))
  }

  get bytesSent (): readonly number[] {
    return this.#sites.map(({ bytesSent }) => bytesSent)
  }

  /** Relative consensus distance right now. */
  get distance (): number {
    return relativeDistance(this.#sites.map(({ averager }) => this.#common(averager)), this.#init.initial)
  }

  /** With what clusters average apart as it was at the start. */
  #common ({ values }: Averager): Float32Array {
    const { schema, initial, clusters } = this.#init
    if (clusters == null) return values
    const common = values.slice()
    for (const { begin, end } of rangesOf(schema, clusters.own)) common.set(initial.subarray(begin, end), begin)
    return common
  }

  async mix (round: number, trained: readonly Float32Array[], factors?: readonly number[]): Promise<Float32Array[]> {
    const { hide } = this.#init
    this.#sites.forEach(({ averager }, index) => {
      const steps = averager.sealing == null ? 0 : 1
      land(averager, { before: averager.snapshot(), after: trained[index]!, round, steps, factor: factors?.[index], hide })
    })
    await this.#seal()
    await this.#exchange(this.#turns)
    return this.#values()
  }

  /** The cool-down of the daemon: finer exchanges, once at least, until the sites agree as closely as the federation wants. */
  async finish (): Promise<Float32Array[]> {
    for (const { averager } of this.#sites) averager.isSettling = true
    const isApart = (): boolean => this.distance > this.#init.averaging.coolDown.distance
    for (let times = 0; times < MOST_COOLING && (times === 0 || isApart()); times++) await this.#exchange(1)
    return this.#values()
  }

  get #turns (): number {
    const { initiationsPerRound, partner } = this.#init.averaging
    return initiationsPerRound * turnsPerInitiation(partner)
  }

  #values (): Float32Array[] {
    return this.#sites.map(({ averager }) => averager.snapshot())
  }

  /** Where training is sealed, groups carry it before the exchanges. */
  async #seal (): Promise<void> {
    if (sealedOf(this.#init.averaging) == null) return
    for (const { averager } of this.#sites) await averager.saved([])
    const loops = this.#sites.map((site) => this.#createLoop(site))
    const running = loops.map(async (loop) => { await loop.start() })
    for (const until = this.#clock.now() + WITHIN_MS; this.#clock.now() < until && loops.some(({ mayCarry }) => mayCarry);) {
      await this.#clock.run(this.#clock.now() + STEP_MS)
    }
    const stopping = loops.map(async (loop) => { await loop.stop() })
    await this.#clock.run(this.#clock.now() + STEP_MS)
    await Promise.all([...running, ...stopping])
  }

  #createLoop (site: VirtualSite): GroupLoop {
    const others = this.#sites.filter((other) => other !== site)
    const byId = (id: string): VirtualSite => this.#sites.find((each) => each.id === id)!
    return new GroupLoop({
      sealing: site.averager.sealing!,
      peers: {
        candidates: () => others.map(({ id }) => id),
        unfinished: () => others.filter(({ averager }) => averager.sealing?.isFresh === true).map(({ id }) => id),
        trainingOf: (id) => ({ steps: byId(id).averager.steps })
      },
      steps: () => site.averager.steps,
      self: site.id,
      federationId: 'experiment',
      lead: async (invited, onDeclined) => { await this.#network.group(site, invited.map(byId), onDeclined) },
      clock: this.#clock,
      random: this.#starts
    })
  }

  /** Every site gets this many exchanges, its own and those it is asked for as the partner rule counts them. */
  async #exchange (count: number): Promise<void> {
    const running = new Set(this.#sites)
    const failures: unknown[] = []
    for (const site of this.#sites) {
      this.#clock.schedule(SPREAD_MS * this.#starts(), () => {
        site.gossip.initiate({ count, withinMs: WITHIN_MS, signal: FOR_EVER }).catch((error: unknown) => {
          failures.push(error)
        }).finally(() => {
          running.delete(site)
        })
      })
    }
    while (running.size > 0) await this.#clock.run(this.#clock.now() + STEP_MS)
    if (failures.length > 0) throw failures[0]
    for (const { averager } of this.#sites) await averager.saved(averager.state.included)
  }

  #createSite (mass: number, index: number): VirtualSite {
    const { schema, initial, averaging, clusters } = this.#init
    const secure = sealedOf(averaging)
    const sealed = secure == null ? {} : { sealed: { secure } }
    const scoped = clusters == null ? {} : { scoped: rangesOf(schema, clusters.own) }
    const averager = new Averager({ schema, values: initial, round: 0, mass, settings: averaging, ...sealed, ...scoped })
    const own = clusters?.of(index, idOf)
    if (own != null) averager.scope = (partner) => own.scopeWith(partner)
    return {
      index,
      id: idOf(index),
      averager,
      gossip: this.#createGossip(averager, index, own),
      isLiar: false,
      isSlow: false,
      isAway: false,
      bytesSent: 0,
      sketch: undefined
    }
  }

  #createGossip (averager: Averager, index: number, own: SiteClusters | undefined): ExchangeLoop {
    const ids = this.#init.masses.map((_, each) => idOf(each))
    const self = idOf(index)
    return new ExchangeLoop({
      exchange: async (id) => await this.#network.exchange(this.#sites[index]!, this.#sites[ids.indexOf(id)]!),
      peers: { candidates: () => ids.filter((id) => id !== self), expectsSomebody: () => ids.length > 1, markForeign: () => {} },
      notices: SILENT,
      clock: this.#clock,
      random: seededRandom(this.#init.seed + index, STREAM.gossip),
      partner: {
        rule: this.#init.averaging.partner,
        self,
        ring: () => ids,
        step: () => averager.round * this.#turns,
        ...(own == null ? {} : { cluster: () => own.members, weight: () => own.affinity })
      }
    })
  }
}

function idOf (index: number): string {
  return `site-${String(index).padStart(4, '0')}`
}
