import { LRUCache } from 'lru-cache'
import { doublingMs } from '../../../common/doubling.ts'

export interface OffencesInit {
  /** Milliseconds, never going back. */
  readonly now: () => number
  /** What a peer is counted by; itself when missing. */
  readonly rootOf?: (peer: string) => string
  readonly onBan: (peer: string, reason: string, ms: number) => void
}

/** At so many points a peer is cut off. */
export const BAN_POINTS = 100
// So many points are forgiven every second.
const FORGIVEN_PER_SECOND = 5
const BAN = { firstMs: 60_000, lastMs: 3_600_000 }
const MOST = 1024

interface Entry {
  points: number
  at: number
  bans: number
  bannedUntil: number
}

/** Counts what peers do wrong and bans who does too much, twice as long each time. The 1,024 peers that offended last are remembered. */
export class Offences {
  readonly #init: OffencesInit
  readonly #entries = new LRUCache<string, Entry>({ max: MOST })

  constructor (init: OffencesInit) {
    this.#init = init
  }

  /** `reason` completes "cut off because it …". */
  add (peer: string, points: number, reason: string): void {
    const now = this.#init.now()
    const root = this.#rootOf(peer)
    const entry = this.#entries.peek(root) ?? { points: 0, at: now, bans: 0, bannedUntil: -Infinity }
    if (now < entry.bannedUntil) return
    entry.points = Math.max(0, entry.points - (now - entry.at) * FORGIVEN_PER_SECOND / 1_000) + points
    entry.at = now
    this.#entries.set(root, entry)
    if (entry.points >= BAN_POINTS) this.#ban(peer, entry, reason, now)
  }

  isBanned (peer: string): boolean {
    return this.#init.now() < (this.#entries.peek(this.#rootOf(peer))?.bannedUntil ?? -Infinity)
  }

  #rootOf (peer: string): string {
    return this.#init.rootOf?.(peer) ?? peer
  }

  #ban (peer: string, entry: Entry, reason: string, now: number): void {
    const ms = doublingMs(BAN, entry.bans++)
    entry.points = 0
    entry.bannedUntil = now + ms
    this.#init.onBan(peer, reason, ms)
  }
}
