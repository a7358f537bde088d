import { setTimeout as sleep } from 'node:timers/promises'

/** Time as the round pipeline sees it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now (): number
  /** Rejects when the signal aborts. */
  sleep (ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: Date.now,
  sleep: async (ms, signal) => { await sleep(ms, undefined, { signal }) }
}
