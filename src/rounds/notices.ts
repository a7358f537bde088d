import { LRUCache } from 'lru-cache'
import { RateLimit } from '../common/rate-limit.ts'
import type { Logger } from './logger.ts'

const MOST = 100
// Whoever can cause a notice cannot fill the log with them.
const SPOKEN = { perSecond: 1, burst: 50 }

/** What a person should know: each said once in the log and kept for status and summary. */
export class Notices {
  readonly #logger: Logger
  readonly #said = new LRUCache<string, string>({ max: MOST })
  readonly #spoken: RateLimit

  constructor (logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger
    this.#spoken = new RateLimit({ ...SPOKEN, now })
  }

  /** One plain sentence, once per `key`: no file names, patient ids or numbers of private tensors. The hundred last ones are kept. */
  warn (key: string, message: string): void {
    if (this.#said.has(key)) return
    if (this.#spoken.take('') === 0) this.#logger.warn(message)
    this.#said.set(key, message)
  }

  /** Lets `warn` speak again under this key; the sentence stays in the list. */
  over (key: string, message: string): void {
    const said = this.#said.peek(key)
    if (said == null) return
    this.#logger.info(message)
    this.#said.delete(key)
    this.#said.set(`${key} ${this.#said.size}`, said)
  }

  get list (): string[] {
    return [...new Set(this.#said.rvalues())].filter((each) => each != null)
  }
}
