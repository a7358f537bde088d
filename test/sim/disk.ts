import type { AveragerState } from '../../src/gossip-aggregation/averager-types.ts'
import type { Decision, GroupLog, LogEntry, RecordHead, SealedRecord } from '../../src/gossip-aggregation/exchange/exchange-log.ts'
import type { Landed } from '../../src/gossip-aggregation/unmixed.ts'

interface Stored {
  readonly head: SealedRecord
  readonly difference: Float32Array
}

/** What a site has on disk: outlives its process. */
export interface Disk {
  checkpoint: Omit<AveragerState, 'unmixed'>
  /** Landings that no other site has, and sums of them. */
  landed: readonly Landed[]
  /** What catching up added to x, one after the other. */
  readonly takenOver: Float32Array[]
  readonly pending: Map<string, Stored>
  readonly committed: Map<string, Stored>
  /** Groups that this site led. */
  readonly decided: Map<string, Stored>
  /** Committed as responder, in order, by initiator. */
  readonly outcomes: Map<string, Set<string>>
}

/** Does the write, or not: a disk that is full, or a process that dies before or after it. */
export type Write = (change: () => void) => Promise<void>

export function emptyDisk (checkpoint: Disk['checkpoint']): Disk {
  return { checkpoint, landed: [], takenOver: [], pending: new Map(), committed: new Map(), decided: new Map(), outcomes: new Map() }
}

/** The log on such a disk; every durable change goes through `write`. */
export class DiskLog implements GroupLog {
  readonly #disk: Disk
  readonly #write: Write

  constructor (disk: Disk, write: Write) {
    this.#disk = disk
    this.#write = write
  }

  async begin (head: RecordHead): Promise<LogEntry> {
    const parts: number[] = []
    return {
      append: async (values) => { parts.push(...values) },
      seal: async (state, end) => {
        await this.#write(() => {
          const difference = Float32Array.from(parts)
          this.#disk[state].set(head.exchangeId, { head: { ...head, ...end }, difference })
          // An initiator decides only where it has no mass.
          if (state === 'committed' && head.role === 'initiator') this.#disk.takenOver.push(difference)
          if (state === 'committed' && head.role === 'responder') this.#kept(head.partner).add(head.exchangeId)
          if (state !== 'committed' || head.members == null) return
          this.#disk.decided.set(head.exchangeId, { head: { ...head, ...end }, difference })
        })
      },
      discard: async () => {}
    }
  }

  async settle (exchangeId: string, verdict: Decision): Promise<void> {
    await this.#write(() => {
      const stored = this.#disk.pending.get(exchangeId)
      this.#disk.pending.delete(exchangeId)
      if (stored != null && verdict === 'committed') this.#disk.committed.set(exchangeId, stored)
    })
  }

  async read (exchangeId: string): Promise<Float32Array> {
    return (this.#disk.pending.get(exchangeId) ?? this.#disk.committed.get(exchangeId))!.difference.slice()
  }

  head (exchangeId: string): SealedRecord | undefined {
    return (this.#disk.pending.get(exchangeId) ?? this.#disk.committed.get(exchangeId) ?? this.#disk.decided.get(exchangeId))?.head
  }

  pending (): readonly SealedRecord[] {
    return [...this.#disk.pending.values()].map(({ head }) => head)
  }

  committed (): readonly SealedRecord[] {
    return [...this.#disk.committed.values()].map(({ head }) => head)
  }

  async absorb (exchangeIds: readonly string[]): Promise<void> {
    await this.#write(() => { for (const id of exchangeIds) this.#disk.committed.delete(id) })
  }

  outcome (exchangeId: string, partner: string): Decision | undefined {
    return this.#kept(partner).has(exchangeId) ? 'committed' : undefined
  }

  unacknowledged (partner: string): readonly string[] {
    return [...this.#kept(partner)]
  }

  async forget (exchangeIds: readonly string[], partner: string): Promise<void> {
    await this.#write(() => { for (const id of exchangeIds) this.#kept(partner).delete(id) })
  }

  #kept (partner: string): Set<string> {
    const kept = this.#disk.outcomes.get(partner) ?? new Set<string>()
    this.#disk.outcomes.set(partner, kept)
    return kept
  }
}
