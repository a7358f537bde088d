import type { EntryContent } from './entry.ts'

type Condensable = Extract<EntryContent, { kind: 'connection' | 'refusal' }>

const WINDOW_MS = 10_000
const MOST = 256

/**
 * Lets nobody fill the disk: of equal events of one peer the first of ten seconds is written at once and the others as a number;
 * beyond 256 different ones in that time only their number is kept.
 */
export class Condenser {
  readonly #write: (content: EntryContent) => void
  readonly #seen = new Map<string, { content: Condensable, more: number }>()
  #others = 0
  #timer: NodeJS.Timeout | undefined

  constructor (write: (content: EntryContent) => void) {
    this.#write = write
  }

  take (content: Condensable): void {
    this.#timer ??= setTimeout(() => { this.flush() }, WINDOW_MS).unref()
    const key = JSON.stringify(content)
    const seen = this.#seen.get(key)
    if (seen != null) seen.more++
    else if (this.#seen.size >= MOST) this.#others++
    else {
      this.#seen.set(key, { content, more: 0 })
      this.#write(content)
    }
  }

  /** Ends the window. */
  flush (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const { content, more } of this.#seen.values()) if (more > 0) this.#write({ ...content, more })
    if (this.#others > 0) {
      this.#write({
        kind: 'refusal',
        peer: 'others',
        what: 'connections and refusals',
        reason: `more than ${MOST} different ones in ${WINDOW_MS / 1_000} s`,
        more: this.#others
      })
    }
    this.#seen.clear()
    this.#others = 0
  }
}
