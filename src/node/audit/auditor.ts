import { Condenser } from './condenser.ts'
import type { Content } from './entry.ts'
import { Ledger, type LedgerInit } from './ledger.ts'

// What happens before the ledger is open is held back; no start makes more than this.
const MOST_EARLY = 1_000

/** The ledger as the daemon uses it: takes events from its first moment on and closes in order. */
export class Auditor {
  readonly #init: LedgerInit
  readonly #early: Content[] = []
  readonly #condenser = new Condenser((content) => { this.#write(content) })
  #ledger: Ledger | undefined

  constructor (init: LedgerInit) {
    this.#init = init
  }

  /** Call it once this process is known to be the only one in its home. */
  async open (): Promise<void> {
    this.#ledger = await Ledger.open(this.#init)
    for (const content of this.#early.splice(0)) this.#ledger.append(content)
  }

  record (content: Content): void {
    if (content.kind === 'connection' || content.kind === 'refusal') this.#condenser.take(content)
    else this.#write(content)
  }

  async close (reason: 'done' | 'stopped' | 'failed'): Promise<void> {
    this.#condenser.flush()
    this.#ledger?.append({ kind: 'stop', reason })
    await this.#ledger?.close()
  }

  #write (content: Content): void {
    if (this.#ledger != null) this.#ledger.append(content)
    else if (this.#early.length < MOST_EARLY) this.#early.push(content)
  }
}
