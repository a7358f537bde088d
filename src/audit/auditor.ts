import { Condenser } from './condenser.ts'
import { parseLine, type EntryContent } from './entry.ts'
import { Ledger, type LedgerInit } from './ledger.ts'
import { readSegment, segmentsIn } from './segments.ts'

// What happens before the ledger is open is held back; no start makes more than this.
const MOST_EARLY = 1_000
// What comes while it writes is written too, unless the disk refuses.
const MOST_FLUSHES = 3

/** The ledger as the daemon uses it: takes events from its first moment on and closes in order. */
export class Auditor {
  readonly #init: LedgerInit
  readonly #early: EntryContent[] = []
  readonly #condenser = new Condenser((content) => { this.#write(content) })
  #ledger: Ledger | undefined
  #recent: ReadonlySet<string> = new Set()

  constructor (init: LedgerInit) {
    this.#init = init
  }

  /** Call it once this process is known to be the only one in its home. */
  async open (): Promise<void> {
    this.#recent = await recentExchanges(this.#init.folder)
    this.#ledger = await Ledger.open(this.#init)
    for (const content of this.#early.splice(0)) this.#ledger.append(content)
  }

  record (content: EntryContent): void {
    if (content.kind === 'connection' || content.kind === 'refusal') this.#condenser.take(content)
    else this.#write(content)
  }

  /** True when this exchange stood in the ledger when it was opened, among the last of it. */
  knows (exchangeId: string): boolean {
    return this.#recent.has(exchangeId)
  }

  /** On disk when it resolves, or the failure has been told and is retried. */
  readonly flush = async (): Promise<void> => {
    for (let i = 0; i < MOST_FLUSHES && this.#ledger?.isDurable === false; i++) await this.#ledger.flush().catch(() => {})
  }

  async close (reason: 'done' | 'stopped' | 'failed'): Promise<void> {
    this.#condenser.flush()
    this.#ledger?.append({ kind: 'stop', reason })
    await this.#ledger?.close()
  }

  #write (content: EntryContent): void {
    if (this.#ledger != null) this.#ledger.append(content)
    else if (this.#early.length < MOST_EARLY) this.#early.push(content)
  }
}

/** Of the last two files: far more than what a crash can have left open. */
async function recentExchanges (folder: string): Promise<Set<string>> {
  const found = new Set<string>()
  for (const index of (await segmentsIn(folder)).slice(-2)) {
    // Damage is met, and said, when the ledger is opened.
    for (const line of (await readSegment(folder, index).catch(() => ({ lines: [] }))).lines) {
      const entry = parseLine(line)
      if (entry?.kind === 'exchange' || entry?.kind === 'settled') found.add(entry.id)
    }
  }
  return found
}
