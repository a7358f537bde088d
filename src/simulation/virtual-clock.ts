import { setImmediate as drained } from 'node:timers/promises'
import type { Clock } from '../rounds/clock.ts'

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Time that passes from one scheduled event to the next; ties in order of scheduling, so that everything replays. */
export class VirtualClock implements Clock {
  /** Binary heap, the next event first. */
  readonly #events: Event[] = []
  #now = 0
  #order = 0

  now (): number {
    return this.#now
  }

  async sleep (ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.schedule(ms, resolve)
    await promise
  }

  /** `run` is called `ms` milliseconds from now. */
  schedule (ms: number, run: () => void): void {
    this.#push({ at: this.#now + Math.max(0, ms), order: this.#order++, run })
  }

  /** Lets time pass until `until`. What an event sets off ends, or sleeps, before the next begins: it may await nothing but this clock. */
  async run (until: number): Promise<void> {
    for (let next = this.#events[0]; next != null && next.at <= until; next = this.#events[0]) {
      this.#pop()
      this.#now = next.at
      next.run()
      await drained()
    }
    this.#now = until
  }

  #push (event: Event): void {
    const events = this.#events
    let index = events.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (isBefore(events[parent]!, event)) break
      events[index] = events[parent]!
      index = parent
    }
    events[index] = event
  }

  #pop (): void {
    const events = this.#events
    const last = events.pop()!
    if (events.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= events.length) break
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++
      if (isBefore(last, events[child]!)) break
      events[index] = events[child]!
      index = child
    }
    events[index] = last
  }
}

function isBefore (one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
