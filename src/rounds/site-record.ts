import type { Facts } from '../gossip-aggregation/facts.ts'
import type { SiteParts } from '../gossip-aggregation/mixing/generalisation.ts'
import type { RoundRecord, Scores } from '../home/metrics-log.ts'
import type { LabelFits } from '../settings/labels.ts'
import type { ScoredRound } from './best-round.ts'
import type { SitePhase, SiteStatus } from './status.ts'

/** What one committed exchange adds to the counts. */
export interface CountedExchange {
  readonly partner: string
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly isRead?: boolean
}

/** Running counts of one site, carried over restarts by the metrics of finished rounds. */
export class SiteRecord {
  /** A site without labels. */
  readonly reads: boolean
  phase: SitePhase = 'starting'
  round = 0
  partner: string | undefined
  dice: Scores['dice'] | undefined
  /** 95 % intervals of Dice; of enough patients. */
  intervals: Scores['intervals']
  /** Dice by class, where the federation names classes. */
  classes: Scores['classes']
  /** How its masks agree with the federation's model; of federations that name classes. */
  labelFits: LabelFits | undefined
  /** What it announces beside the rest, where its federation lets it: once it has any. */
  facts: Facts | undefined
  /** By how much it scaled what it trained last; where its method does. */
  landing: number | undefined
  /** Which part each site has in what all learn; where its method has parts. */
  parts: SiteParts | undefined
  /** Images of its validation split; 0 until the trainer is ready. */
  validationImages = 0
  /** The last round that it scored. */
  scored: ScoredRound | undefined
  progress: { step: number, steps: number } | undefined
  compute: SiteStatus['compute'] | undefined
  trainer: SiteStatus['trainer'] = 'loading'
  /** Since the start of the daemon. */
  trainerRestarts = 0
  /** Part of a round's steps that is trained at present. */
  pace = 1
  /** Steps trained by the end of the last finished round; -1: phase G of the next one had landed when this home was last used. */
  trainedBefore = 0
  exchanges = 0
  bytesSent = 0
  bytesReceived = 0
  readonly exchangesByRound: number[] = []
  #inRound = { exchanges: 0, bytesSent: 0, bytesReceived: 0 }

  constructor (finished: readonly RoundRecord[] = [], reads = false) {
    this.reads = reads
    for (const each of finished) {
      this.#setExchanges(each.round, each.exchanges)
      this.exchanges += each.exchanges
      this.bytesSent += each.bytesSent
      this.bytesReceived += each.bytesReceived
      this.dice = each.dice
      this.intervals = each.intervals
      this.classes = each.classes
      this.round = each.round
      this.pace = each.pace ?? 1
      this.trainedBefore = each.steps?.trained ?? 0
    }
  }

  /** To be read by a site without labels costs bytes, and is no exchange. */
  count ({ partner, bytesSent, bytesReceived, isRead = false }: CountedExchange): void {
    const isExchange = this.reads || !isRead
    if (isExchange) this.partner = partner
    for (const counts of [this, this.#inRound]) {
      if (isExchange) counts.exchanges++
      counts.bytesSent += bytesSent
      counts.bytesReceived += bytesReceived
    }
  }

  /** Bytes beside those of exchanges. */
  countBytes ({ bytesSent, bytesReceived }: Omit<CountedExchange, 'partner'>): void {
    for (const counts of [this, this.#inRound]) {
      counts.bytesSent += bytesSent
      counts.bytesReceived += bytesReceived
    }
  }

  enter (phase: SitePhase, round = this.round): void {
    this.phase = phase
    this.round = round
    this.progress = undefined
  }

  /** Since the last round ended, whoever began them. */
  get exchangesInRound (): number {
    return this.#inRound.exchanges
  }

  /** Ends the round's counts and returns them, with what it scaled its training by, and why. */
  closeRound (round: number): { exchanges: number, bytesSent: number, bytesReceived: number, landing?: number, parts?: SiteParts } {
    const counts = this.#inRound
    this.#inRound = { exchanges: 0, bytesSent: 0, bytesReceived: 0 }
    this.#setExchanges(round, counts.exchanges)
    const { landing, parts } = this
    return { ...counts, ...(landing == null ? {} : { landing }), ...(parts == null ? {} : { parts }) }
  }

  /** Rounds that a site skipped when it caught up had none. */
  #setExchanges (round: number, count: number): void {
    while (this.exchangesByRound.length < round) this.exchangesByRound.push(0)
    this.exchangesByRound[round - 1] = count
  }
}
