/** What happened while a site was away is told within this time by whoever is there. */
const GRACE_MS = 5_000

/**
 * Holds everybody back after a start until somebody else has said what was revoked meanwhile: a revoked site must not be the first to
 * be let in. Where nobody else is known, or nobody else comes within the grace time, there is nothing to wait for.
 */
export class CatchUp {
  readonly #others: ReadonlySet<string>
  readonly #heard = new Set<string>()
  readonly #waiting = new Set<() => void>()
  readonly #graceMs: number
  #timer: NodeJS.Timeout | undefined
  #over = false

  /** `others`: the members that this site knew when it started, without itself. */
  constructor (others: Iterable<string>, graceMs = GRACE_MS) {
    this.#others = new Set(others)
    this.#graceMs = graceMs
  }

  /** The grace time runs from here. */
  start (): void {
    this.#timer = setTimeout(() => { this.stop() }, this.#graceMs)
  }

  stop (): void {
    clearTimeout(this.#timer)
    this.#over = true
    this.#wake()
  }

  /** Its knowledge has been taken in; resolves once somebody else's has, too. */
  async after (peer: string): Promise<void> {
    this.#hear(peer)
    while (!this.#isEnough(peer)) await new Promise<void>((resolve) => { this.#waiting.add(resolve) })
  }

  #hear (peer: string): void {
    // Two are enough to be each other's witness.
    if (this.#over || this.#heard.size >= 2) return
    this.#heard.add(peer)
    this.#wake()
  }

  #isEnough (peer: string): boolean {
    return this.#over || [...this.#heard].some((each) => each !== peer) || ![...this.#others].some((each) => each !== peer)
  }

  #wake (): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
