/** Runs work in the order in which it was given; `undefined` where too much waits already. */
export class OneAtATime {
  readonly #most: number
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor (most: number) {
    this.#most = most
  }

  /** Resolves when what was given so far is done. */
  get idle (): Promise<unknown> {
    return this.#last
  }

  run<T> (work: () => Promise<T>): Promise<T> | undefined {
    if (this.#waiting >= this.#most) return undefined
    this.#waiting++
    const mine = this.#last.then(work).finally(() => { this.#waiting-- })
    this.#last = mine.catch(() => { /* said to who asked */ })
    return mine
  }
}
