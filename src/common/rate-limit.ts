import { LRUCache } from 'lru-cache'

export interface RateLimitInit {
  /** Tokens that come back per second. */
  readonly perSecond: number
  /** Tokens of a key that was quiet. */
  readonly burst: number
  /** Milliseconds. */
  readonly now: () => number
}

const MAX_KEYS = 1024

/** A token bucket per key; the key that was quiet longest is forgotten beyond 1024 of them. */
export class RateLimit {
  readonly #init: RateLimitInit
  readonly #buckets = new LRUCache<string, { tokens: number, at: number }>({ max: MAX_KEYS })

  constructor (init: RateLimitInit) {
    this.#init = init
  }

  /** Takes a token, or `cost` of them: 0 when there were enough, else the milliseconds until there are. */
  take (key: string, cost = 1): number {
    const { perSecond, burst, now } = this.#init
    const at = now()
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at }
    const tokens = Math.min(burst, bucket.tokens + Math.max(0, at - bucket.at) * perSecond / 1000)
    const granted = tokens >= cost
    this.#buckets.set(key, { tokens: granted ? tokens - cost : tokens, at })
    return granted ? 0 : Math.ceil((cost - tokens) * 1000 / perSecond)
  }
}
