import type { Logger } from './logger.ts'

const MOST = 100

/** What a person should know: each said once in the log and kept for status and summary. */
export class Notices {
  readonly #logger: Logger
  readonly #said = new Map<string, string>()

  constructor (logger: Logger) {
    this.#logger = logger
  }

  /** One plain sentence, once per `key`: no file names, patient ids or numbers of private tensors. */
  warn (key: string, message: string): void {
    if (this.#said.has(key)) return
    this.#logger.warn(message)
    if (this.#said.size < MOST) this.#said.set(key, message)
  }

  /** Lets `warn` speak again under this key; the sentence stays in the list. */
  over (key: string, message: string): void {
    const said = this.#said.get(key)
    if (said == null) return
    this.#logger.info(message)
    this.#said.delete(key)
    this.#said.set(`${key} ${this.#said.size}`, said)
  }

  get list (): string[] {
    return [...new Set(this.#said.values())]
  }
}
