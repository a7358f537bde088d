import { drained } from '../common/slices.ts'
import { releaseFacts, type Facts } from '../gossip-aggregation/facts.ts'
import type { CommittedExchange } from '../gossip-aggregation/exchange/exchange-types.ts'
import { turnsPerInitiation } from '../gossip-aggregation/partner-choice.ts'
import { Arrival } from '../rounds/arrival.ts'
import { Company } from '../rounds/company.ts'
import { coolDown } from '../rounds/cool-down.ts'
import { ExchangeLoop, type ExchangeLoopInit } from '../rounds/exchange-loop.ts'
import { GroupLoop, type LeadGroup } from '../rounds/group-loop.ts'
import { LabelVotes } from '../rounds/label-votes.ts'
import type { Notices } from '../rounds/notices.ts'
import { Pace } from '../rounds/pace.ts'
import { PeerTable, type Announced } from '../rounds/peer-table.ts'
import { roundPlan } from '../rounds/plan.ts'
import { siteClusters, type SiteClusters } from '../rounds/site-clusters.ts'
import { SiteRecord } from '../rounds/site-record.ts'
import { trainRound, type RoundSite } from '../rounds/training-round.ts'
import { toldBy, weighing, type Weigh } from '../rounds/weigh.ts'
import { defaultAveraging } from '../settings/averaging.ts'
import { defaultModelSettings } from '../settings/model.ts'
import { factSpecs, type FactSections } from '../settings/facts.ts'
import { siteConfig } from '../settings/site/site-config.ts'
import { sketchOf, squaredDistance } from './measure.ts'
import type { SimulationOptions } from './options.ts'
import type { Tells } from './scenario.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { VirtualSite } from './virtual-site.ts'
import { VirtualTrainer, type Learn } from './virtual-trainer.ts'

/** How an exchange loop chooses by what sites tell. */
export type Alike = Pick<NonNullable<ExchangeLoopInit['partner']>, 'cluster' | 'weight'>

export interface DaemonInit {
  readonly index: number
  readonly options: SimulationOptions
  readonly rounds: number
  readonly learn?: Learn | undefined
  readonly tells?: Tells | undefined
  /** What a liar announces, whatever is so. */
  readonly lies?: Facts | undefined
  /** To whom it goes first, where all tell what they are like before they begin. */
  readonly alike: Alike
  readonly clock: VirtualClock
  /** Uniform in [0, 1). */
  readonly random: { readonly gossip: () => number, readonly training: () => number }
  readonly notices: Notices
  readonly site: () => VirtualSite
  readonly exchange: (partner: string, options: { catchUp?: boolean, upTo?: number | undefined }) => Promise<CommittedExchange>
  /** Invites these to a group. */
  readonly lead: LeadGroup
  readonly publish: (announced: Announced) => Promise<void>
  /** Of the sites, relative to the start. */
  readonly distance: () => number
}

const PLAN = roundPlan({ model: defaultModelSettings({ name: 'virtual', depth: 1, globalBlocks: [] }), training: {} })
/** As the daemon announces itself: at most so often, and at least. */
const SPACING_MS = 1_000
const HEARTBEAT_MS = 5_000
const COOL_DOWN = defaultAveraging({ coolDownSeconds: 120 }).coolDown
const ALONE_ROUNDS = siteConfig.shape.aloneRounds.parse(undefined)
const EMPTY = new Float32Array()
const FOR_EVER = new AbortController().signal

/** One site's course through its rounds, by the daemon's own plan, pace, peer table and loop; trainer, disk and network are virtual. */
export class VirtualDaemon {
  readonly peers: PeerTable
  readonly gossip: ExchangeLoop
  /** Where the method has them. */
  readonly clusters: SiteClusters | undefined
  /** How often it paused training, how often it caught up, its rounds, and those whose training a group had carried by their end. */
  readonly counts = { waited: 0, caughtUp: 0, rounds: 0, served: 0 }
  readonly #init: DaemonInit
  readonly #record = new SiteRecord()
  readonly #turns: number
  #finishedRounds = 0
  #announced = { what: '', at: -Infinity }
  /** As announced last. */
  #sketch: Float32Array = EMPTY

  constructor (init: DaemonInit) {
    this.#init = init
    this.#turns = turnsPerInitiation(init.options.partner)
    this.peers = new PeerTable(() => init.clock.now())
    this.clusters = this.#createClusters()
    this.gossip = this.#createGossip()
  }

  get isDone (): boolean {
    return this.#record.phase === 'done'
  }

  /** An exchange is committed, whoever began it. */
  exchanged (partner: string): void {
    this.#record.count({ partner, bytesSent: 0, bytesReceived: 0 })
  }

  /** Resolves after the cool-down. */
  async run (): Promise<void> {
    const { clock, rounds, distance, site } = this.#init
    const groups = this.#createGroups()
    const running = groups?.start()
    const round = this.#createRound(groups)
    while (this.#finishedRounds < rounds) await trainRound(round, this.#finishedRounds + 1, FOR_EVER)
    this.#record.enter('cool-down')
    const isInDoubt = (): boolean => site().averager.inDoubt > 0 || groups?.mayCarry === true
    await coolDown({ gossip: this.gossip, peers: this.peers, clock, distance, isInDoubt, limits: COOL_DOWN }, FOR_EVER)
    this.#record.enter('done')
    await groups?.stop()
    await running
  }

  /** Says where it is, if there is news or it has said nothing for a while; until it is done. */
  async announce (): Promise<void> {
    const { clock, site, publish, options } = this.#init
    for (let isLast = false; !isLast; await clock.sleep(SPACING_MS)) {
      isLast = this.isDone
      const { averager } = site()
      const { phase, pace } = this.#record
      const { round, steps } = averager
      const what = `${phase} ${round} ${averager.exchanges} ${steps.arrived}`
      if (what === this.#announced.what && clock.now() - this.#announced.at < HEARTBEAT_MS) continue
      this.#announced = { what, at: clock.now() }
      this.#sketch = options.partner === 'farthest' ? sketchOf(averager.values) : EMPTY
      await publish({ round, phase, schemaHash: averager.schema.hash, sketch: this.#sketch, steps, pace, facts: this.#facts })
    }
  }

  get #facts (): Float32Array | undefined {
    const said = this.#said
    return said == null ? undefined : releaseFacts(factSpecs(this.#settings), said)?.values
  }

  /** A liar lies about what it would have to say. */
  get #said (): Facts | undefined {
    const { lies, site } = this.#init
    const { facts } = this.#record
    return site().isLiar && lies != null ? { ...facts, ...lies } : facts
  }

  get #settings (): FactSections {
    const { tells } = this.#init
    return { ...tells, training: {}, averaging: { maxMass: tells?.maxMass ?? 1 } }
  }

  #heard (at: number): ReturnType<PeerTable['facts']> {
    return this.peers.facts(at, this.#init.site().averager.settings.staleness)
  }

  #createClusters (): SiteClusters | undefined {
    const { index, site } = this.#init
    const heard = (): ReturnType<PeerTable['facts']> => this.#heard(site().averager.round)
    const isEarly = (): boolean => site().averager.round <= site().averager.settings.staleness && this.peers.awaitsFacts()
    const own = (): Facts | undefined => isEarly() ? undefined : this.#said
    return siteClusters(this.#settings, { self: idOf(index), own, heard, drive: drained })
  }

  /** What lands is what was trained, scaled; `moved` sums it up. */
  #landing (moved: Float64Array): { readonly onTrained: (delta: Float32Array) => void, readonly weigh: Weigh | undefined } {
    const { rounds, site } = this.#init
    const weigh = weighing({ settings: this.#settings, mass: site().averager.mass, rounds, heard: (at) => this.#heard(at) })
    let trained: Float32Array = EMPTY
    const landed = (factor: number): void => { trained.forEach((each, i) => { moved[i] = moved[i]! + factor * each }) }
    return {
      onTrained: (delta) => {
        trained = delta
        if (weigh == null) landed(1)
      },
      weigh: weigh == null
        ? undefined
        : (said, at) => {
            const weighed = weigh(said, at)
            landed(weighed.factor ?? 1)
            return weighed
          }
    }
  }

  #createGossip (): ExchangeLoop {
    const { site, index, exchange, notices, clock, random, alike, options: { partner: rule } } = this.#init
    const { clusters } = this
    const self = idOf(index)
    return new ExchangeLoop({
      exchange: async (partner, { catchUp = false, upTo }) => {
        const outcome = await exchange(partner, { catchUp, upTo })
        this.exchanged(partner)
        if (catchUp) this.counts.caughtUp++
        return outcome
      },
      peers: this.peers,
      get averager () {
        return site().averager
      },
      notices,
      clock,
      random: random.gossip,
      partner: {
        rule,
        self,
        ring: () => this.peers.ring(self),
        step: () => site().averager.round * this.#turns,
        isOutOfStep: true,
        distance: (id) => this.#distanceTo(id),
        ...(clusters == null ? alike : { cluster: () => clusters.members, weight: () => clusters.affinity })
      }
    })
  }

  #createGroups (): GroupLoop | undefined {
    const { site, index, lead, clock, random } = this.#init
    const { averager } = site()
    if (averager.sealing == null) return undefined
    return new GroupLoop({
      sealing: averager.sealing,
      peers: this.peers,
      steps: () => averager.steps,
      self: idOf(index),
      federationId: 'virtual',
      lead,
      clock,
      random: random.gossip
    })
  }

  #distanceTo (id: string): number | undefined {
    const sketch = this.peers.announcementOf(id)?.sketch
    return sketch == null || this.#sketch.length === 0 ? undefined : squaredDistance(this.#sketch, sketch)
  }

  #createTrainer (onTrained: (delta: Float32Array) => void): VirtualTrainer {
    const { clock, random, options, learn, tells, site } = this.#init
    const { index, isSlow } = site()
    return new VirtualTrainer({
      clock,
      random: random.training,
      slowness: isSlow ? options.slowness : 1,
      learn,
      facts: tells == null ? undefined : (adapter) => tells.facts(index, adapter),
      onTrained
    })
  }

  #createRound (groups: GroupLoop | undefined): RoundSite {
    const { clock, rounds, notices } = this.#init
    const site = this.#init.site()
    const { averager, moved } = site
    const { onTrained, weigh } = this.#landing(moved!)
    return {
      averager,
      trainer: this.#createTrainer(onTrained),
      weigh,
      told: (at) => toldBy(this.#settings, averager.mass, this.#heard(at)),
      others: {
        gossip: this.gossip,
        peers: this.peers,
        pace: new Pace(),
        arrival: new Arrival(notices),
        company: new Company({
          gossip: this.gossip,
          peers: this.peers,
          notices,
          clock,
          exchanges: () => this.#record.exchanges,
          aloneRounds: ALONE_ROUNDS,
          rounds
        }),
        labelVotes: new LabelVotes(site.id),
        groups,
        distance: () => undefined,
        turnsPerRound: this.#turns,
        staleness: averager.settings.staleness,
        closeness: COOL_DOWN.distance,
        stayMs: 1_000 * COOL_DOWN.seconds
      },
      plan: PLAN,
      rounds,
      // Nothing dies here: what a checkpoint would hold is in memory.
      store: { saveRound: async () => {} },
      checkpoint: {
        save: async () => { await averager.saved(averager.state.included) },
        get state () {
          const { values, round, mass } = averager.state
          return { values, round, weight: mass }
        }
      },
      metrics: {
        append: ({ round }) => {
          this.#finishedRounds = round
          this.counts.rounds++
          if (averager.steps.arrived === averager.steps.trained) this.counts.served++
          return Promise.resolve()
        }
      },
      record: this.#record,
      notices,
      clock,
      onPhase: (phase) => { if (phase === 'waiting') this.counts.waited++ }
    }
  }
}

/** In the order of the sites. */
export function idOf (index: number): string {
  return `site-${String(index).padStart(6, '0')}`
}
