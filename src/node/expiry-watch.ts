import type { MemberView } from '../federation/membership/members-view.ts'
import { LAPSE_MS, type Notices } from '../rounds/notices.ts'

/** A letter, a committee and a founder's holiday fit in. */
const SOON_DAYS = 30
const EVERY_MS = LAPSE_MS.hour

export interface ExpiryWatchInit {
  /** When this site's certificate ends, ISO 8601; a founder has none. */
  readonly validTo: () => string | undefined
  /** Whose certificates this site can renew; none where it may not invite. */
  readonly invited: () => readonly Pick<MemberView, 'peerId' | 'standing' | 'validTo'>[]
  readonly notices: Pick<Notices, 'warn' | 'over'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Says a month before that a certificate ends: the own one, and at founders those of the others. */
export class ExpiryWatch {
  readonly #init: ExpiryWatchInit
  #timer: NodeJS.Timeout | undefined

  constructor (init: ExpiryWatchInit) {
    this.#init = init
  }

  start (): void {
    this.check()
    this.#timer = setInterval(() => { this.check() }, EVERY_MS).unref()
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  check (): void {
    const { validTo, invited } = this.#init
    this.#say('expiry', validTo(), (when) =>
      `this site's certificate ${when}, and nobody has renewed it: see that a founder, or who invited this site, is met, or ask for a ` +
        'new invitation, and join with it before')
    for (const { peerId, standing, validTo: to } of invited()) {
      this.#say(`expiry ${peerId}`, standing === 'member' ? to : undefined, (when) =>
        `the certificate of site ${peerId} ${when}: invite it again ("consilium invite ${peerId}") and have it join before`)
    }
  }

  #say (key: string, to: string | undefined, sentence: (when: string) => string): void {
    const days = to == null ? Infinity : (Date.parse(to) - this.#init.now()) / LAPSE_MS.day
    if (days > SOON_DAYS) this.#init.notices.over(key, 'a certificate that was about to end has been renewed')
    else this.#init.notices.warn(key, sentence(days > 0 ? `ends in ${describeDays(days)}` : 'has ended'))
  }
}

function describeDays (days: number): string {
  return days < 1 ? 'less than a day' : days < 2 ? 'one day' : `${Math.floor(days)} days`
}
