import { LRUCache } from 'lru-cache'
import { LAPSE_MS, type Notices } from './notices.ts'

/** Announcements travel for seconds; certificates go by the day, and nothing else by the time of day. */
const MOST_MS = 300_000
const MOST_SITES = 1_024
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Compares the times that other sites write on their announcements with this site's, and says whose clock is wrong. */
export class ClockSkew {
  readonly #notices: Pick<Notices, 'warn' | 'over'>
  /** Milliseconds by which each site is ahead of this one. */
  readonly #ahead = new LRUCache<string, number>({ max: MOST_SITES })

  constructor (notices: Pick<Notices, 'warn' | 'over'>) {
    this.#notices = notices
  }

  /** A site said at `saidAt`, by its own clock, what was heard `now`, by this one's; milliseconds since the epoch. */
  heard (site: string, saidAt: number, now: number): void {
    this.#ahead.set(site, saidAt - now)
    const all = [...this.#ahead.values()].sort((a, b) => a - b)
    // Of one other nobody can tell whose clock it is.
    const own = all.length < 2 ? 0 : all[Math.floor((all.length - 1) / 2)]!
    if (Math.abs(own) > MOST_MS) this.#notices.warn('clock', ownSentence(own))
    else this.#notices.over('clock', "this site's clock goes with the others'")
    const theirs = saidAt - now - own
    if (Math.abs(theirs) <= MOST_MS) this.#notices.over(`clock of ${site}`, `the clocks of this site and of site ${site} go together`)
    else this.#notices.warn(`clock of ${site}`, sentenceOf(site, theirs, all.length > 1), { forMs: LAPSE_MS.minutes })
  }
}

function ownSentence (ms: number): string {
  return `the clock of this site is ${inWords(ms)} ${ms > 0 ? 'behind' : 'ahead of'} those of the others: set it, best by NTP, and start ` +
    'this site again'
}

function sentenceOf (site: string, ms: number, isTheirs: boolean): string {
  const off = `the clock of site ${site} is ${inWords(ms)} ${ms > 0 ? 'ahead of' : 'behind'}`
  return isTheirs
    ? `${off} those of the others: ask the people there to set it, best by NTP, and to start their site again`
    : `${off} this site's: set the one that is wrong, best by NTP, and start that site again`
}

function inWords (ms: number): string {
  const size = Math.abs(ms)
  return size >= HOUR_MS ? `${(size / HOUR_MS).toFixed(1)} hours` : `${Math.round(size / MINUTE_MS)} minutes`
}
