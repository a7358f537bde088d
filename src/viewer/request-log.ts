const KEPT = 300

/** The last requests, by route and without what was asked about: no id, name or address. */
export class RequestLog {
  readonly #lines: string[] = []

  add (line: string): void {
    this.#lines.push(`${new Date().toISOString()} ${line}`)
    if (this.#lines.length > KEPT) this.#lines.shift()
  }

  get text (): string {
    return this.#lines.map((line) => line + '\n').join('')
  }
}
