import { messageOf } from '../common/message-of.ts'
import { runInSlices } from '../common/slices.ts'
import type { Averager } from '../gossip-aggregation/averager.ts'
import { estimateDistance } from '../gossip-aggregation/consensus.ts'
import type { Range } from '../gossip-aggregation/exchange/scope.ts'
import { releaseFacts, type FactSpec } from '../gossip-aggregation/facts.ts'
import { sketchSeed, sketchSlices } from '../gossip-aggregation/sketch.ts'
import type { Announcement } from '../protocol/announce/index.ts'
import type { Logger } from './logger.ts'
import type { PeerTable } from './peer-table.ts'
import type { SiteRecord } from './site-record.ts'

export interface AnnouncerInit {
  readonly federationId: string
  readonly averager: Averager
  /** Names of the federation's. */
  readonly classes: readonly string[]
  /** Γ0. */
  readonly initial: Float32Array
  readonly software: Pick<Announcement, 'software' | 'protocols'>
  readonly record: SiteRecord
  /** Where privacy is promised, nothing leaves that was measured on images: scores were not paid for. */
  readonly hidesScores?: boolean
  /** What the document lets a site announce beside the rest. */
  readonly facts?: readonly FactSpec[]
  /** What of x clusters average apart: all sites agree on the rest alone, and it alone is sketched. */
  readonly scoped?: readonly Range[] | undefined
  readonly peers: PeerTable
  readonly publish: (announcement: Announcement) => Promise<void>
  readonly logger: Logger
}

const SPACING_MS = 1_000
// Tells newcomers what they missed, and everybody that this site is alive.
const HEARTBEAT_MS = 5_000

/** Tells the federation where this site is, and keeps its own sketch for the estimate of the consensus distance. */
export class Announcer {
  readonly #init: AnnouncerInit
  readonly #seed: number
  #origin: Float32Array | undefined
  #own: Float32Array | undefined
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #changed = false
  #lastAt = -Infinity
  #stopped = false

  constructor (init: AnnouncerInit) {
    this.#init = init
    this.#seed = sketchSeed(init.federationId)
  }

  async start (): Promise<void> {
    this.#origin = await runInSlices(sketchSlices(this.#init.initial, this.#seed))
    this.touch()
  }

  /** Something changed: it is announced as soon as the spacing allows. */
  readonly touch = (): void => {
    this.#changed = true
    if (this.#running == null) this.#schedule(SPACING_MS)
  }

  /** Says the last word at once; nothing is announced afterwards. */
  async stop (): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
    await this.#announce()
  }

  /** Estimated relative consensus distance of all sites that announced themselves lately and this one; undefined while alone. */
  readonly distance = (): number | undefined => {
    const others = this.#init.peers.sketches(this.#init.averager.schema.hash)
    if (this.#own == null || this.#origin == null || others.length === 0) return undefined
    const distance = estimateDistance([this.#own, ...others], this.#origin)
    return Number.isFinite(distance) ? distance : undefined
  }

  /** Estimated distance of another site's vector from this one's. */
  readonly distanceTo = (id: string): number | undefined => {
    const [own, other] = [this.#own, this.#init.peers.announcementOf(id)?.sketch]
    if (own == null || other == null) return undefined
    return Math.sqrt(own.reduce((sum, value, index) => sum + (value - (other[index] ?? NaN)) ** 2, 0))
  }

  #schedule (afterMs: number): void {
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#changed = false
      this.#running = this.#announce().finally(() => {
        this.#running = undefined
        this.#schedule(this.#changed ? SPACING_MS : HEARTBEAT_MS)
      })
    }, Math.max(0, this.#lastAt + afterMs - performance.now()))
  }

  async #announce (): Promise<void> {
    const { averager, initial, scoped = [], record, software, publish, logger } = this.#init
    this.#lastAt = performance.now()
    const values = averager.shared()
    for (const { begin, end } of scoped) values.set(initial.subarray(begin, end), begin)
    const { round } = averager
    try {
      this.#own = await runInSlices(sketchSlices(values, this.#seed))
      await publish({
        ...software,
        round,
        phase: record.phase,
        schemaHash: averager.schema.hash,
        sketch: this.#own,
        ...(record.reads ? { reads: true } : { steps: averager.steps, pace: record.pace, ...this.#scores, ...this.#facts })
      })
    } catch (error) {
      logger.debug({ reason: messageOf(error) }, 'an announcement was not published')
    }
  }

  /** What must not leave stays, and the rest is announced. */
  get #facts (): Pick<Announcement, 'facts'> {
    const { facts: specs = [], record, logger } = this.#init
    if (specs.length === 0) return {}
    try {
      const released = releaseFacts(specs, record.facts ?? {})
      return released == null ? {} : { facts: released.values }
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, 'the facts of this site are not announced')
      return {}
    }
  }

  get #scores (): Pick<Announcement, 'dice' | 'classDice' | 'scored' | 'labelFits'> {
    const { classes, record: { dice, classes: scores, scored, labelFits }, hidesScores = false } = this.#init
    if (hidesScores) return {}
    return {
      ...(scores == null ? {} : { classDice: classes.map((name) => scores[name]?.personal) }),
      ...(scored == null ? {} : { scored }),
      ...(labelFits == null ? {} : { labelFits }),
      ...(dice == null ? {} : { dice: dice.personal })
    }
  }
}
