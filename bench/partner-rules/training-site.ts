import type { Schema } from '../../src/adapter/schema.ts'
import { normal, seededRandom, type Random } from '../../src/common/random.ts'
import type { Averager } from '../../src/gossip-aggregation/averager.ts'
import { estimateDistance } from '../../src/gossip-aggregation/consensus.ts'
import { land } from '../../src/gossip-aggregation/landing.ts'
import { turnsPerInitiation } from '../../src/gossip-aggregation/partner-choice.ts'
import { sketchSlices } from '../../src/gossip-aggregation/sketch.ts'
import { coolDown } from '../../src/rounds/cool-down.ts'
import { ExchangeLoop } from '../../src/rounds/exchange-loop.ts'
import { PeerTable } from '../../src/rounds/peer-table.ts'
import type { AveragingSettings } from '../../src/settings/averaging.ts'
import type { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import type { VirtualNetwork } from '../../src/simulation/virtual-network.ts'
import type { VirtualSite } from '../../src/simulation/virtual-site.ts'

export interface Federation {
  readonly clock: VirtualClock
  readonly network: VirtualNetwork
  readonly averaging: AveragingSettings
  readonly schema: Schema
  readonly initial: Float32Array
  /** Where training leads all of them. */
  readonly common: Float32Array
  readonly rounds: number
  readonly seed: number
  readonly draw: Random
  readonly pace: Random
  readonly sites: TrainingSite[]
}

const GOSSIP_STREAM = 3
/** Virtual milliseconds, each time by 0.7 to 1.3 of it and by the site's own pace. */
const PHASE_MS = { G: 900, rest: 1_400 } as const
const SAVE_MS = 20
const START_MS = 1_500
const ANNOUNCE_MS = { spacing: 1_000, heartbeat: 5_000, look: 50 } as const
/** Per round and number, what all learn, what one learns, and noise; the rate falls to a quarter. */
const STEP = { common: 0.02, own: 0.05, noise: 0.06 } as const
const LEAST_RATE = 0.25
const FOR_EVER = new AbortController().signal
const SILENT = { warn: () => {}, over: () => {} }

/** A site that trains on a virtual clock: phases of random length, the daemon's own exchanges, cool-down and peer table. */
export class TrainingSite implements VirtualSite {
  readonly index: number
  readonly id: string
  readonly averager: Averager
  readonly gossip: ExchangeLoop
  readonly isLiar = false
  readonly isSlow = false
  isAway = false
  bytesSent = 0
  sketch: Float32Array | undefined
  /** Exchanges by round, and what was mixed in it. */
  readonly counts: number[] = []
  readonly saved: Float32Array[] = []
  finishedAt = Infinity
  readonly #federation: Federation
  readonly #peers: PeerTable
  readonly #own: Float32Array
  readonly #slowness: number
  #phase = 'G'
  #counted = 0

  constructor (federation: Federation, { index, averager, own, slowness }: {
    index: number,
    averager: Averager,
    own: Float32Array,
    slowness: number
  }) {
    const { clock, network, averaging, seed, pace, sites } = federation
    this.index = index
    this.id = idOf(index)
    this.averager = averager
    this.#federation = federation
    this.#own = own
    this.#slowness = slowness * (0.85 + 0.3 * pace())
    this.#peers = new PeerTable(() => clock.now())
    this.#peers.guide(averager)
    this.gossip = new ExchangeLoop({
      exchange: async (id) => await network.exchange(this, sites.find((site) => site.id === id)!),
      peers: this.#peers,
      averager,
      notices: SILENT,
      clock,
      random: seededRandom(seed + index, GOSSIP_STREAM),
      partner: {
        rule: averaging.partner,
        self: this.id,
        ring: () => this.#peers.ring(this.id),
        step: () => averager.round * this.#turns,
        isOutOfStep: true
      }
    })
  }

  /** All are connected from the start. */
  meet (): void {
    for (const { id } of this.#federation.sites) if (id !== this.id) this.#peers.connected(id, [])
  }

  async run (): Promise<void> {
    const { clock, rounds, pace, averaging } = this.#federation
    const announcing = this.#announceAll()
    await clock.sleep(START_MS * pace())
    for (let round = 1; round <= rounds; round++) await this.#round(round)
    this.#phase = 'cool-down'
    this.finishedAt = clock.now()
    await coolDown({
      gossip: this.gossip,
      peers: this.#peers,
      clock,
      distance: () => this.#distance(),
      isInDoubt: () => false,
      limits: averaging.coolDown
    }, FOR_EVER)
    this.#phase = 'done'
    await announcing
  }

  get #turns (): number {
    const { initiationsPerRound, partner } = this.#federation.averaging
    return initiationsPerRound * turnsPerInitiation(partner)
  }

  async #round (round: number): Promise<void> {
    const { averager, gossip } = this
    const { clock } = this.#federation
    this.#phase = 'G'
    const before = averager.snapshot()
    await clock.sleep(PHASE_MS.G * this.#jitter())
    land(averager, { before, after: this.#train(before, round), round })
    await clock.sleep(SAVE_MS)
    await gossip.initiate({ count: this.#turns, had: averager.exchanges - this.#counted, withinMs: 20_000, signal: FOR_EVER })
    this.saved.push(averager.snapshot())
    this.#phase = 'L'
    await clock.sleep(PHASE_MS.rest * this.#jitter())
    this.counts.push(averager.exchanges - this.#counted)
    this.#counted = averager.exchanges
    await averager.saved(averager.state.included)
  }

  #jitter (): number {
    return this.#slowness * (0.7 + 0.6 * this.#federation.pace())
  }

  #train (before: Float32Array, round: number): Float32Array {
    const { rounds, common, draw } = this.#federation
    const rate = LEAST_RATE + (1 - LEAST_RATE) / 2 * (1 + Math.cos(Math.PI * (round - 1) / rounds))
    return before.map((each, i) => each + rate * (STEP.common * common[i]! + STEP.own * this.#own[i]! + STEP.noise * normal(draw)))
  }

  /** As the daemon's announcer does, until the last word. */
  async #announceAll (): Promise<void> {
    const { clock } = this.#federation
    let said = ''
    let last = -Infinity
    while (this.#phase !== 'done') {
      const news = `${this.#phase} ${this.averager.round} ${this.averager.exchanges}`
      const age = clock.now() - last
      if (age >= ANNOUNCE_MS.heartbeat || (age >= ANNOUNCE_MS.spacing && news !== said)) {
        this.#announce()
        said = news
        last = clock.now()
      }
      await clock.sleep(ANNOUNCE_MS.look)
    }
    this.#announce()
  }

  #announce (): void {
    this.sketch = sketchOf(this.averager.values)
    const announced = { round: this.averager.round, phase: this.#phase, schemaHash: this.averager.schema.hash, sketch: this.sketch }
    for (const site of this.#federation.sites) if (site !== this) site.#peers.announced(this.id, announced)
  }

  #distance (): number {
    return estimateDistance([this.sketch!, ...this.#peers.sketches(this.averager.schema.hash)], sketchOf(this.#federation.initial))
  }
}

function idOf (index: number): string {
  return `site-${String(index).padStart(2, '0')}`
}

function sketchOf (values: Float32Array): Float32Array {
  const slices = sketchSlices(values.slice(), 0)
  let slice = slices.next()
  while (slice.done !== true) slice = slices.next()
  return slice.value
}
