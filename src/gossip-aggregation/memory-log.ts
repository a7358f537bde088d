import type { ExchangeLog, LogEntry, RecordHead, SealedRecord, Verdict } from './exchange-log.ts'

interface Stored {
  readonly head: SealedRecord
  readonly parts: readonly Float32Array[]
}

const DONE = Promise.resolve()

/** A log that lasts as long as its process, like the x beside it, so that nothing is ever done again: for simulations, and for sites that keep nothing. */
export class MemoryExchangeLog implements ExchangeLog {
  readonly #pending = new Map<string, Stored>()
  /** Verdicts by initiator, then by exchange id, in order of decision. */
  readonly #outcomes = new Map<string, Map<string, Verdict>>()

  begin (head: RecordHead): Promise<LogEntry> {
    const parts: Float32Array[] = []
    return Promise.resolve({
      append: (values) => {
        parts.push(values)
        return DONE
      },
      seal: (state, factor) => {
        if (state === 'pending') this.#pending.set(head.exchangeId, { head: { ...head, factor }, parts })
        else this.#decide(head.exchangeId, head.partner, 'committed')
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
    return stored == null ? Promise.reject(new Error(`the log has no record of exchange ${exchangeId}`)) : Promise.resolve(joined(stored.parts, stored.head.size))
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

  outcome (exchangeId: string, partner: string): Verdict | undefined {
    return this.#outcomes.get(partner)?.get(exchangeId)
  }

  decideAborted (exchangeId: string, partner: string): Promise<void> {
    this.#decide(exchangeId, partner, 'aborted')
    return DONE
  }

  unacknowledged (partner: string): readonly string[] {
    return [...this.#outcomes.get(partner)?.keys() ?? []]
  }

  forget (exchangeIds: readonly string[], partner: string): Promise<void> {
    for (const id of exchangeIds) this.#outcomes.get(partner)?.delete(id)
    return DONE
  }

  #decide (exchangeId: string, partner: string, verdict: Verdict): void {
    const kept = this.#outcomes.get(partner) ?? new Map<string, Verdict>()
    this.#outcomes.set(partner, kept.set(exchangeId, verdict))
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
