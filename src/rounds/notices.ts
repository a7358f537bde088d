import { LRUCache } from 'lru-cache'
import { RateLimit } from '../common/rate-limit.ts'
import type { Logger } from './logger.ts'

const MOST = 100
// Whoever can cause a notice cannot fill the log with them.
const SPOKEN = { perSecond: 1, burst: 50 }

interface Notice {
  message: string
  /** Whether it went to the log. */
  isSpoken: boolean
}

/** What a person should know: each said once in the log and kept for status and summary. */
export class Notices {
  readonly #logger: Logger
  readonly #said = new LRUCache<string, Notice>({ max: MOST })
  readonly #spoken: RateLimit

  constructor (logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger
    this.#spoken = new RateLimit({ ...SPOKEN, now })
  }

  /**
   * One plain sentence, once per `key`, of which a later one takes the place in the list without a line in the log, unless `isNews`: no
   * file names, patient ids or numbers of private tensors. The hundred last ones are kept.
   */
  warn (key: string, message: string, { isNews = false }: { readonly isNews?: boolean } = {}): void {
    const said = this.#said.peek(key)
    const notice = said ?? { message, isSpoken: false }
    notice.message = message
    if (said == null) this.#said.set(key, notice)
    else if (!isNews) return
    if (this.#spoken.take('') !== 0) return
    notice.isSpoken = true
    this.#logger.warn(message)
  }

  /** Lets `warn` speak again under this key; the last sentence that was over stays in the list. */
  over (key: string, message: string): void {
    const said = this.#said.peek(key)
    if (said == null) return
    const isGranted = this.#spoken.take('') === 0
    // Whoever read that it began reads that it ended: at most one line more for each that was granted.
    if (isGranted || said.isSpoken) this.#logger.info(message)
    this.#said.delete(key)
    this.#said.set(`over ${key}`, said)
  }

  get list (): string[] {
    return [...new Set([...this.#said.rvalues()].map((each) => each?.message))].filter((each) => each != null)
  }
}
