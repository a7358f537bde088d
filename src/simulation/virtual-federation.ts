import { createSchema, type Schema } from '../adapter/schema.ts'
import { seededRandom, shuffled } from '../common/random.ts'
import type { AveragerInit, Distort } from '../gossip-aggregation/averager-types.ts'
import { Averager } from '../gossip-aggregation/averager.ts'
import { rangesOf } from '../gossip-aggregation/exchange/scope.ts'
import { defaultSealed } from '../settings/secure.ts'
import { turnsPerInitiation } from '../gossip-aggregation/partner-choice.ts'
import { ExchangeLoop } from '../rounds/exchange-loop.ts'
import { sketchOf, squaredDistance } from './measure.ts'
import { normalNumbers } from '../common/normal-numbers.ts'
import { CYCLE_MS, LIE, roundsOf, STREAM, type SimulationOptions } from './options.ts'
import type { Scenario } from './scenario.ts'
import { VirtualClock } from './virtual-clock.ts'
import { virtualFacts, type VirtualFacts } from './virtual-facts.ts'
import { idOf, type Alike } from './virtual-daemon.ts'
import { VirtualNetwork } from './virtual-network.ts'
import type { VirtualSite } from './virtual-site.ts'
import { VirtualTraining } from './virtual-training.ts'

const STANDS_STILL = { candidates: (): string[] => [], expectsSomebody: () => false, markForeign: () => {} }
const SILENT = { warn: () => {}, over: () => {} }
/** Times per cycle that a site asks about what is in doubt. */
const SETTLINGS = 4
/** Cycles within which all that is open or in doubt must end once nothing is lost any more. */
const MOST_SETTLING = 20
const FOR_EVER = new AbortController().signal

/** Virtual sites that exchange on a virtual clock; the same options give the same history, number for number. */
export class VirtualFederation {
  readonly sites: readonly VirtualSite[]
  /** Where sites train. */
  readonly training: VirtualTraining | undefined
  /** Where sites tell facts. */
  readonly facts: VirtualFacts | undefined
  readonly #options: SimulationOptions
  readonly #scenario: Scenario | undefined
  readonly #clock = new VirtualClock()
  readonly #network: VirtualNetwork
  readonly #ids: readonly string[]
  readonly #byId: ReadonlyMap<string, VirtualSite>
  readonly #churn: () => number
  readonly #turns: () => number
  readonly #running = new Set<VirtualSite>()
  /** The first that a site threw, which none should. */
  #failure: Error | undefined
  #cycle = 0

  constructor (options: SimulationOptions, scenario?: Scenario) {
    const { peers, seed, loss, delay } = options
    const rounds = roundsOf(options)
    const clock = this.#clock
    this.#options = options
    this.#scenario = scenario
    this.#churn = seededRandom(seed, STREAM.churn)
    this.#turns = seededRandom(seed, STREAM.turns)
    // Who trains slowly has the same lines as anybody.
    const slowness = rounds > 0 ? 1 : options.slowness
    this.#network = new VirtualNetwork({ clock, random: seededRandom(seed, STREAM.network), loss, delay, slowness })
    this.#ids = Array.from({ length: peers }, (_, index) => idOf(index))
    if (options.clusters > 0) this.facts = virtualFacts(this.#ids, options)
    const byId = (id: string): VirtualSite => this.#byId.get(id)!
    if (rounds > 0) {
      const sites = (): readonly VirtualSite[] => this.sites
      const alike = (id: string): Alike => this.#alike(id)
      this.training = new VirtualTraining({ options, scenario, rounds, clock, network: this.#network, sites, byId, alike })
    }
    this.sites = this.#createSites()
    this.#byId = new Map(this.sites.map((site) => [site.id, site]))
    this.training?.start((work) => { this.#watch(work) })
  }

  /** Every live site initiates once, at its own time; where sites train, this is so much time for it. */
  async cycle (): Promise<void> {
    const { churn, partner } = this.#options
    const away = shuffled(this.sites, this.#churn).slice(0, Math.round(churn * this.sites.length))
    for (const site of this.sites) site.isAway = false
    for (const site of away) site.isAway = true
    if (this.training != null) this.training.connect()
    else {
      if (partner === 'farthest') for (const site of this.sites) site.sketch = sketchOf(site.averager.values)
      for (const site of this.sites) if (!site.isAway) this.#schedule(site)
    }
    for (let time = 0; time < SETTLINGS; time++) this.#scheduleSettling(time * CYCLE_MS / SETTLINGS)
    await this.#clock.run((this.#cycle + 1) * CYCLE_MS)
    this.#cycle++
    for (const { averager } of this.sites) await averager.saved(averager.state.included)
    this.#check()
  }

  /** Everybody comes back, nothing is lost any more, and what is in doubt is settled. */
  async settle (): Promise<void> {
    this.#network.loss = 0
    for (const site of this.sites) site.isAway = false
    const isOpen = (): boolean => this.#running.size > 0 || this.sites.some(({ averager }) => isUnsettled(averager))
    for (let cycle = 0; cycle < MOST_SETTLING && isOpen(); cycle++) {
      this.#scheduleSettling(0)
      await this.#clock.run(this.#clock.now() + CYCLE_MS)
      this.#check()
    }
    if (isOpen()) throw new Error('an exchange could not be settled although everybody is there')
  }

  /** Ids of sites that at least one honest site named. */
  named (): Set<string> {
    return new Set(this.sites.filter(({ isLiar }) => !isLiar).flatMap(({ gossip }) => gossip.suspects))
  }

  /** With delays sites keep their own time; without, two agreed steps of a cycle follow each other. */
  #schedule (site: VirtualSite): void {
    const { delay, partner, slowness } = this.#options
    if (site.isSlow && (this.#cycle + site.index) % slowness !== 0) return
    const turns = turnsPerInitiation(partner)
    const phase = delay > 0 ? phaseOf(site) : this.#turns()
    for (let turn = 0; turn < turns; turn++) {
      this.#clock.schedule((turn + (delay > 0 ? phase : this.#turns())) * CYCLE_MS / turns, () => { this.#watch(this.#turn(site)) })
    }
  }

  /** Sites ask about what is in doubt, as the daemon does when a partner is there again. */
  #scheduleSettling (ms: number): void {
    this.#clock.schedule(ms, () => {
      for (const site of this.sites) if (!site.isAway) this.#watch(this.#settleAll(site))
    })
  }

  async #turn (site: VirtualSite): Promise<void> {
    if (site.isAway || this.#running.has(site)) return
    this.#running.add(site)
    try {
      await site.gossip.initiate({ count: 1, withinMs: CYCLE_MS * 0.9, signal: FOR_EVER })
    } finally {
      this.#running.delete(site)
    }
  }

  async #settleAll (site: VirtualSite): Promise<void> {
    const { doubts, sealing } = site.averager
    for (const partner of [...doubts.keys()]) await this.#network.settle(site, this.#byId.get(partner)!).catch(() => {})
    for (const leader of sealing?.doubts.keys() ?? []) await this.#network.settleGroup(site, this.#byId.get(leader)!).catch(() => {})
  }

  #watch (work: Promise<void>): void {
    work.catch((error: unknown) => { this.#failure ??= error as Error })
  }

  #check (): void {
    if (this.#failure != null) throw this.#failure
  }

  #createSites (): VirtualSite[] {
    const { peers, dim, seed, liars, stragglers, offset, maxMass, radius, secure } = this.#options
    const tensors = this.#scenario?.tensors ?? [{ name: 'x', shape: [dim], role: 'lora' }]
    const schema = createSchema({ model: 'virtual', baseHash: '0'.repeat(64), tensors })
    const normal = normalNumbers(seededRandom(seed, STREAM.values))
    const roles = seededRandom(seed, STREAM.roles)
    const indices = shuffled([...this.#ids.keys()], roles)
    const liarCount = Math.round(liars * peers)
    const slowCount = Math.round(stragglers * peers)
    const common = Float64Array.from({ length: dim }, () => offset === 0 ? 0 : offset * normal())
    const ranks = new Map(indices.map((index, rank) => [index, rank]))
    return this.#ids.map((_, index) => {
      const rank = ranks.get(index)!
      const values = this.#scenario?.start.slice() ?? Float32Array.from(common, (each) => each + normal())
      const drawn = maxMass === 1 ? 1 : maxMass ** roles()
      const mass = secure ? Math.round(drawn) : drawn
      return this.#createSite({
        index,
        schema,
        values,
        mass,
        isLiar: rank < liarCount,
        isSlow: rank >= peers - slowCount,
        clipRadius: this.#scenario?.clipRadius ?? radius * Math.sqrt(dim)
      })
    })
  }

  #createSite (
    { index, schema, values, mass, isLiar, isSlow, clipRadius }: Pick<VirtualSite, 'index' | 'isLiar' | 'isSlow'> & {
      schema: Schema,
      values: Float32Array,
      mass: number,
      clipRadius: number
    }
  ): VirtualSite {
    const { codec, maxMass, secure } = this.#options
    const settings = { codec, maxMass, clipRadius, normBound: 1e30, staleness: 3 }
    const daemon = this.training?.daemons[index]
    const averager = new Averager({
      schema,
      values,
      round: 0,
      mass,
      settings,
      ...(secure ? { sealed: { secure: defaultSealed() } } : {}),
      ...(this.#scenario == null ? {} : inScenario(this.#scenario, schema, index)),
      ...(isLiar ? { distort: this.#lie(index) } : {})
    })
    daemon?.peers.guide(averager)
    if (daemon?.clusters != null) averager.scope = (partner) => daemon.clusters!.scopeWith(partner)
    const site: VirtualSite = {
      index,
      id: this.#ids[index]!,
      averager,
      gossip: daemon?.gossip ?? this.#createGossip(index),
      isLiar,
      isSlow,
      isAway: false,
      bytesSent: 0,
      sketch: undefined,
      ...(daemon == null ? {} : { moved: new Float64Array(values.length), onServed: (partner) => { daemon.exchanged(partner) } })
    }
    return site
  }

  #createGossip (index: number): ExchangeLoop {
    const { partner, seed } = this.#options
    const own = (): VirtualSite => this.sites[index]!
    return new ExchangeLoop({
      exchange: async (id) => await this.#network.exchange(own(), this.#byId.get(id)!),
      peers: { ...STANDS_STILL, candidates: () => this.#ids as string[] },
      notices: SILENT,
      clock: this.#clock,
      random: seededRandom(seed + index, STREAM.gossip),
      partner: {
        rule: partner,
        self: this.#ids[index]!,
        ring: () => this.#ids,
        step: () => this.#stepOf(),
        distance: (id) => this.#distance(own(), id),
        ...this.#alike(this.#ids[index]!)
      }
    })
  }

  #alike (self: string): Alike {
    const { facts } = this
    return facts == null ? {} : { cluster: () => facts.clusters.membersOf(self), weight: () => (id) => facts.weight(self, id) }
  }

  #stepOf (): number {
    const turns = 2 * this.#clock.now() / CYCLE_MS
    return Math.floor(turns)
  }

  #distance ({ sketch }: VirtualSite, id: string): number | undefined {
    const other = this.#byId.get(id)?.sketch
    return sketch == null || other == null ? undefined : squaredDistance(sketch, other)
  }

  /** Fresh noise in every exchange, 100 times as long as sites are from their mean at the start. */
  #lie (index: number): Distort {
    const normal = normalNumbers(seededRandom(this.#options.seed + index, STREAM.lies))
    const lie = this.#scenario?.lie
    if (lie != null) {
      return (copy, { partner, clipRadius }) => {
        lie.tell(copy, { victim: this.#byId.get(partner)!, radius: clipRadius, sites: this.sites, normal })
      }
    }
    return (copy) => { for (let i = 0; i < copy.length; i++) copy[i] = copy[i]! + LIE * normal() }
  }
}

/** What its averager makes of where training leads. */
function inScenario ({ tells }: Scenario, schema: Schema, index: number): Pick<AveragerInit, 'trains' | 'scoped'> {
  const own = tells?.method.clusters?.own
  return { trains: { rootOf: (partner) => partner, seed: index }, scoped: own == null ? undefined : rangesOf(schema, own) }
}

function isUnsettled ({ inDoubt, busy, sealing }: Averager): boolean {
  return inDoubt > 0 || busy || sealing?.isOpen === true || (sealing?.doubts.size ?? 0) > 0
}

/** When in a cycle this site's turn is, where sites keep their own time: a low-discrepancy sequence over [0, 1). */
function phaseOf ({ index }: VirtualSite): number {
  return index * 0.6180339887498949 % 1
}
