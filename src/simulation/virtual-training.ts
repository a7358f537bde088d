import { seededRandom } from '../common/random.ts'
import { createLogger } from '../rounds/logger.ts'
import { Notices } from '../rounds/notices.ts'
import { spreadOf } from './measure.ts'
import { CYCLE_MS, STREAM, type SimulationOptions } from './options.ts'
import type { Scenario } from './scenario.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { idOf, VirtualDaemon, type Alike } from './virtual-daemon.ts'
import type { VirtualNetwork } from './virtual-network.ts'
import type { VirtualSite } from './virtual-site.ts'

interface TrainingInit {
  readonly scenario?: Scenario | undefined
  readonly options: SimulationOptions
  readonly rounds: number
  readonly clock: VirtualClock
  readonly network: VirtualNetwork
  readonly sites: () => readonly VirtualSite[]
  readonly byId: (id: string) => VirtualSite
  readonly alike: (id: string) => Alike
}

/** Optimiser steps of phase G. */
export interface VirtualSteps {
  readonly trained: number
  readonly arrived: number
}

export interface TrainingResult {
  readonly rounds: number
  /** How many sites are slow. */
  readonly slow: number
  readonly steps: VirtualSteps
  /** Of the stragglers alone. */
  readonly slowSteps: VirtualSteps
  /** How often a site paused training for the others. */
  readonly waited: number
  /** How often a site took another's adapter and round over. */
  readonly caughtUp: number
  /** Virtual seconds until the others, those that are not slow, were as close to their mean as `spread` says; null if never. */
  readonly spreadSeconds: number | null
  /** Where training is sealed: groups, and rounds at whose end a group had carried what was trained. */
  readonly groups: { readonly formed: number, readonly broken: number, readonly rounds: number, readonly served: number } | null
}

/** Daemons are not started at the same moment. */
const START_MS = 1_000
/** How often the others' spread is looked at. */
const LOOK_MS = 250

/** All sites on their way through the rounds, on one virtual clock. */
export class VirtualTraining {
  readonly daemons: readonly VirtualDaemon[]
  readonly #init: TrainingInit
  /** Variance of the honest sites at the start. */
  #start = 0
  #spreadSeconds: number | null = null

  constructor (init: TrainingInit) {
    this.#init = init
    const notices = new Notices(createLogger('silent'), () => init.clock.now())
    this.daemons = Array.from({ length: init.options.peers }, (_, index) => this.#createDaemon(index, notices))
  }

  /** `watch` is given what runs until the daemons have finished. */
  start (watch: (work: Promise<void>) => void): void {
    const { clock, options } = this.#init
    const random = seededRandom(options.seed, STREAM.turns)
    this.#start = spreadOf(this.#honest).variance
    this.connect()
    for (const daemon of this.daemons) {
      clock.schedule(START_MS * random(), () => {
        watch(daemon.run())
        watch(daemon.announce())
      })
    }
    watch(this.#look())
    for (const site of this.#init.sites()) if (site.isLiar && this.#init.scenario?.lie.visits != null) watch(this.#visit(site))
  }

  /** Connections break where a site has gone away, and come back with it. */
  connect (): void {
    const sites = this.#init.sites()
    for (const [index, { peers }] of this.daemons.entries()) {
      for (const other of sites) {
        if (other.index === index) continue
        const isUp = !other.isAway && !sites[index]!.isAway
        if (isUp && !peers.isConnected(other.id)) peers.connected(other.id, [])
        else if (!isUp && peers.isConnected(other.id)) peers.disconnected(other.id)
      }
    }
  }

  get isOver (): boolean {
    return this.daemons.every(({ isDone }) => isDone)
  }

  get result (): TrainingResult {
    const sites = this.#init.sites()
    const sum = (name: keyof VirtualDaemon['counts']): number => this.daemons.reduce((total, { counts }) => total + counts[name], 0)
    const slow = sites.filter(({ isSlow }) => isSlow)
    return {
      rounds: this.#init.rounds,
      slow: slow.length,
      steps: stepsOf(sites),
      slowSteps: stepsOf(slow),
      waited: sum('waited'),
      caughtUp: sum('caughtUp'),
      spreadSeconds: this.#spreadSeconds,
      groups: this.#init.options.secure ? { ...this.#init.network.groups, rounds: sum('rounds'), served: sum('served') } : null
    }
  }

  /** Over those that neither lie nor are slow, or all that do not lie. */
  get variance (): number {
    const others = this.#honest.filter(({ isSlow }) => !isSlow)
    return spreadOf(others.length > 0 ? others : this.#honest).variance
  }

  get #honest (): VirtualSite[] {
    return this.#init.sites().filter(({ isLiar }) => !isLiar)
  }

  /** A liar that begins more exchanges than its rounds ask for: with one honest site after the other. */
  async #visit (liar: VirtualSite): Promise<void> {
    const { clock, network, scenario } = this.#init
    const honest = this.#honest
    for (let turn = liar.index; !this.isOver; turn++) {
      await clock.sleep(CYCLE_MS / scenario!.lie.visits!)
      await network.exchange(liar, honest[turn % honest.length]!).catch(() => {})
    }
  }

  async #look (): Promise<void> {
    const { clock, options } = this.#init
    const first = this.variance
    while (this.#spreadSeconds == null && !this.isOver) {
      await clock.sleep(LOOK_MS)
      if (this.variance <= options.spread ** 2 * first) this.#spreadSeconds = clock.now() / 1_000
    }
  }

  #createDaemon (index: number, notices: Notices): VirtualDaemon {
    const { options, scenario, rounds, clock, network, sites, byId, alike } = this.#init
    const own = (): VirtualSite => sites()[index]!
    return new VirtualDaemon({
      index,
      options,
      rounds,
      learn: scenario?.learn(index),
      tells: scenario?.tells,
      lies: scenario?.lie.facts,
      alike: alike(idOf(index)),
      clock,
      random: { gossip: seededRandom(options.seed + index, STREAM.gossip), training: seededRandom(options.seed + index, STREAM.training) },
      notices,
      site: own,
      lead: async (invited, onDeclined) => { await network.group(own(), invited.map(byId), onDeclined) },
      exchange: async (partner, how) => await network.exchange(own(), byId(partner), how),
      publish: async (announced) => {
        const others = sites().filter((site) => site.index !== index)
        await network.publish(own(), others, (site) => { this.daemons[site.index]!.peers.announced(own().id, announced) })
      },
      distance: () => Math.sqrt(spreadOf(this.#honest).variance / this.#start)
    })
  }
}

function stepsOf (sites: readonly VirtualSite[]): VirtualSteps {
  const sum = (name: keyof VirtualSteps): number => sites.reduce((total, { averager: { steps } }) => total + steps[name], 0)
  return { trained: sum('trained'), arrived: sum('arrived') }
}
