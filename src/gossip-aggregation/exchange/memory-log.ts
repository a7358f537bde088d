import type { GroupLog, LogEntry, RecordHead, SealedRecord } from './exchange-log.ts'

interface Stored {
  readonly head: SealedRecord
  readonly parts: readonly Float32Array[]
}

const DONE = Promise.resolve()

/**
 * A log that lasts as long as its process, like the x beside it, so that nothing is ever done again: for simulations, and for sites
 * that keep nothing.
 */
export class MemoryExchangeLog implements GroupLog {
  readonly #pending = new Map<string, Stored>()
  /** Committed exchanges by initiator, in order of decision. */
  readonly #outcomes = new Map<string, Set<string>>()
  /** Of outcomes that name members. */
  readonly #heads = new Map<string, SealedRecord>()

  begin (head: RecordHead): Promise<LogEntry> {
    const parts: Float32Array[] = []
    return Promise.resolve({
      append: (values) => {
        parts.push(values)
        return DONE
      },
      seal: (state, end) => {
        if (state === 'pending') this.#pending.set(head.exchangeId, { head: { ...head, ...end }, parts })
        else this.#outcomes.set(head.partner, (this.#outcomes.get(head.partner) ?? new Set<string>()).add(head.exchangeId))
        if (state === 'committed' && head.members != null) this.#heads.set(head.exchangeId, { ...head, ...end })
        return DONE
      },
      discard: () => DONE
    })
  }

  settle (exchangeId: string): Promise<void> {
    this.#pending.delete(exchangeId)
    return DONE
  }

  read (exchangeId: string): Promise<Float32Array> {
    const stored = this.#pending.get(exchangeId)
    return stored == null
      ? Promise.reject(new Error(`the log has no record of exchange ${exchangeId}`))
      : Promise.resolve(joined(stored.parts, stored.head.size))
  }

  head (exchangeId: string): SealedRecord | undefined {
    return this.#pending.get(exchangeId)?.head ?? this.#heads.get(exchangeId)
  }

  pending (): readonly SealedRecord[] {
    return [...this.#pending.values()].map(({ head }) => head)
  }

  committed (): readonly SealedRecord[] {
    return []
  }

  absorb (): Promise<void> {
    return DONE
  }

  outcome (exchangeId: string, partner: string): 'committed' | undefined {
    return this.#outcomes.get(partner)?.has(exchangeId) === true ? 'committed' : undefined
  }

  unacknowledged (partner: string): readonly string[] {
    return [...this.#outcomes.get(partner)?.keys() ?? []]
  }

  forget (exchangeIds: readonly string[], partner: string): Promise<void> {
    for (const id of exchangeIds) {
      this.#outcomes.get(partner)?.delete(id)
      this.#heads.delete(id)
    }
    return DONE
  }
}

function joined (parts: readonly Float32Array[], size: number): Float32Array {
  const whole = new Float32Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
